//go:build hidden

package session_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q18-session-run"
	"whyhow/katas/q18-session-run/graph"
	reference "whyhow/solutions/q18-session-run"
)

// hiddenWorld is a random graph of 2×3 nodes.
type hiddenWorld struct {
	g                    *graph.Graph
	x                    *graph.Node
	variables, made, all []*graph.Node
	assigns              []*graph.Node
	loss                 *graph.Node
}

func hiddenMatrix(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

// newHiddenWorld draws a graph; hold makes what holds its values: variables, or constants where there are to be none.
func newHiddenWorld(rng *rand.Rand, hold func(g *graph.Graph, name string, v *mat.Dense) *graph.Node) hiddenWorld {
	g := graph.New()
	w := hiddenWorld{g: g, x: g.Placeholder("x", graph.Unknown, 3)}
	w.made = []*graph.Node{w.x, g.Constant("c", hiddenMatrix(rng, 2, 3))}
	square := g.Constant("square", hiddenMatrix(rng, 3, 3))
	for k := range 3 {
		v := hold(g, fmt.Sprint("v", k), hiddenMatrix(rng, 2, 3))
		w.variables, w.made = append(w.variables, v), append(w.made, v)
	}
	small := []*graph.Node{hold(g, "row", hiddenMatrix(rng, 1, 3)), hold(g, "column", hiddenMatrix(rng, 2, 1)), hold(g, "scalar", hiddenMatrix(rng, 1, 1))}
	pick := func() *graph.Node { return w.made[rng.IntN(len(w.made))] }
	for range 15 {
		var n *graph.Node
		switch rng.IntN(10) {
		case 0:
			n = g.Add(pick(), pick())
		case 1:
			n = g.Sub(pick(), pick())
		case 2:
			n = g.Mul(pick(), pick())
		case 3:
			n = g.ReLU(pick())
		case 4:
			n = g.MatMul(pick(), square)
		case 5:
			n = g.Transpose(g.MatMul(g.Transpose(square), g.Transpose(pick())))
		case 6:
			n = g.BroadcastLike(small[rng.IntN(3)], pick())
		case 7:
			n = g.BroadcastLike(g.SumLike(pick(), small[rng.IntN(3)]), pick())
		case 8:
			n = g.SpreadLike(g.Mean(pick()), pick())
		case 9:
			n = pick()
			n = g.Mul(n, n)
		}
		w.made = append(w.made, n)
	}
	w.all = append(append(w.all, w.made...), small...)
	w.loss = g.Mean(w.made[2])
	for _, n := range w.made[3:] { // every node counts
		w.loss = g.Add(w.loss, g.Mean(g.Mul(n, w.made[1])))
	}
	for k, v := range w.variables {
		if v.Op != graph.OpVariable {
			break
		}
		w.assigns = append(w.assigns, g.Assign(v, w.made[len(w.made)-1-k]))
	}
	return w
}

// hiddenWorlds runs f on graphs, a subtest each.
func hiddenWorlds(t *testing.T, n int, hold func(*graph.Graph, string, *mat.Dense) *graph.Node, f func(t *testing.T, rng *rand.Rand, w hiddenWorld)) {
	rng := check.Rand(t)
	for k := range n {
		t.Run(fmt.Sprint("graph ", k), func(t *testing.T) {
			defer check.Rescue(t)
			f(t, rng, newHiddenWorld(rng, hold))
		})
	}
}

// fetch draws nodes to fetch, Assigns too.
func (w hiddenWorld) fetch(rng *rand.Rand) (fetches []*graph.Node) {
	from := slices.Concat(w.all, w.assigns)
	for range 1 + rng.IntN(4) {
		fetches = append(fetches, from[rng.IntN(len(from))])
	}
	return fetches
}

// feed draws a feed for x and for up to two other nodes.
func (w hiddenWorld) feed(rng *rand.Rand) map[*graph.Node]*mat.Dense {
	feeds := map[*graph.Node]*mat.Dense{w.x: hiddenMatrix(rng, 2, 3)}
	for range rng.IntN(3) {
		feeds[w.made[rng.IntN(len(w.made))]] = hiddenMatrix(rng, 2, 3)
	}
	return feeds
}

// hiddenFeeds is a deep copy.
func hiddenFeeds(feeds map[*graph.Node]*mat.Dense) map[*graph.Node]*mat.Dense {
	out := map[*graph.Node]*mat.Dense{}
	for n, v := range feeds {
		out[n] = check.Copy(v)
	}
	return out
}

func hiddenNames(nodes []*graph.Node) []string {
	var out []string
	for _, n := range nodes {
		out = append(out, n.Name)
	}
	return out
}

// hiddenFails holds that an error quotes one of the nodes.
func hiddenFails(t *testing.T, call string, err error, nodes ...*graph.Node) {
	t.Helper()
	if check.Fails(t, call, err) {
		quoted := slices.ContainsFunc(nodes, func(n *graph.Node) bool { return strings.Contains(err.Error(), fmt.Sprintf("%q", n.Name)) })
		check.Equal(t, fmt.Sprintf("%s: the error %q quotes one of %q", call, err, hiddenNames(nodes)), quoted, true, check.Exact)
	}
}

func TestHiddenAncestors(t *testing.T) {
	defer check.Rescue(t)
	hiddenWorlds(t, 30, (*graph.Graph).Variable, func(t *testing.T, rng *rand.Rand, w hiddenWorld) {
		for range 20 {
			fetches, feeds := w.fetch(rng), w.feed(rng)
			if rng.IntN(4) == 0 {
				feeds = nil
			}
			check.Equal(t, fmt.Sprintf("Ancestors(%q, feeds)", hiddenNames(fetches)), names(learner.Ancestors(slices.Clone(fetches), hiddenFeeds(feeds))),
				names(reference.Ancestors(fetches, feeds)), check.Exact)
		}
	})
}

func TestHiddenOrder(t *testing.T) {
	defer check.Rescue(t)
	hiddenWorlds(t, 30, (*graph.Graph).Variable, func(t *testing.T, rng *rand.Rand, w hiddenWorld) {
		for range 10 {
			needed := reference.Ancestors(w.fetch(rng), w.feed(rng))
			if rng.IntN(2) == 0 { // any set of nodes
				for _, n := range w.all {
					needed[n] = rng.IntN(3) > 0
				}
			}
			order := learner.Order(needed)
			if !check.Equal(t, "the nodes of Order(needed), sorted", slices.Sorted(slices.Values(hiddenNames(order))), names(needed), check.Exact) {
				continue
			}
			at := map[*graph.Node]int{}
			for i, n := range order {
				at[n] = i
			}
			for i, n := range order {
				for _, in := range n.Inputs {
					if j, ok := at[in]; ok {
						check.Equal(t, fmt.Sprintf("Order(needed) has %q before its user %q", in.Name, n.Name), j < i, true, check.Exact)
					}
				}
			}
			for range 5 {
				check.Equal(t, "a second Order(needed)", hiddenNames(learner.Order(needed)), hiddenNames(order), check.Exact)
			}
		}
	})
}

func TestHiddenRun(t *testing.T) {
	defer check.Rescue(t)
	hiddenWorlds(t, 30, (*graph.Graph).Constant, func(t *testing.T, rng *rand.Rand, w hiddenWorld) {
		got, want := learner.NewSession(w.g), reference.NewSession(w.g)
		var before, copied []*mat.Dense
		for range 10 {
			fetches, feeds := w.fetch(rng), w.feed(rng)
			passed := hiddenFeeds(feeds)
			var ran []string
			w.g.Trace = func(n *graph.Node) { ran = append(ran, n.Name) }
			call := fmt.Sprintf("Run(%q, feeds)", hiddenNames(fetches))
			g, err := got.Run(fetches, passed)
			w.g.Trace = nil
			if err != nil {
				t.Errorf("%s gave the error %v", call, err)
				continue
			}
			r, _ := want.Run(fetches, feeds)
			check.Equal(t, call, g, r, check.Rel(1e-9))
			slices.Sort(ran)
			check.Equal(t, "the results of the run before "+call, before, copied, check.Exact)
			check.Equal(t, "what "+call+" evaluated, sorted", ran, names(reference.Ancestors(fetches, feeds)), check.Exact)
			for _, m := range g { // a result is the caller's
				m.Zero()
			}
			for n, v := range feeds {
				check.Equal(t, fmt.Sprintf("the feed of %q after its results were overwritten", n.Name), passed[n], v, check.Exact)
			}
			before, copied = g, check.Copy(g)
		}
	})
}

func TestHiddenErrors(t *testing.T) {
	defer check.Rescue(t)
	hiddenWorlds(t, 30, (*graph.Graph).Variable, func(t *testing.T, rng *rand.Rand, w hiddenWorld) {
		got := learner.NewSession(w.g)
		other := graph.New()
		foreign := other.Constant(fmt.Sprint("foreign", rng.IntN(1000)), hiddenMatrix(rng, 2, 3))
		for range 20 {
			fetches, feeds := w.fetch(rng), w.feed(rng)
			if rng.IntN(3) == 0 {
				delete(feeds, w.x)
			}
			var faulty []*graph.Node // no variable has a value
			for n := range reference.Ancestors(fetches, feeds) {
				if n.Op == graph.OpPlaceholder || n.Op == graph.OpVariable {
					faulty = append(faulty, n)
				}
			}
			targets := map[*graph.Node]int{}
			for n := range reference.Ancestors(fetches, feeds) {
				if n.Op == graph.OpAssign {
					targets[n.Target]++
				}
			}
			for n, times := range targets {
				if times > 1 {
					faulty = append(faulty, n)
				}
			}
			switch rng.IntN(4) {
			case 0:
				n := w.all[rng.IntN(len(w.all))]
				feeds[n] = []*mat.Dense{hiddenMatrix(rng, 2, 4), hiddenMatrix(rng, 4, 5), nil, new(mat.Dense)}[rng.IntN(4)]
				faulty = append(faulty, n)
			case 1:
				fetches = append(fetches, foreign)
				faulty = append(faulty, foreign)
			case 2:
				feeds[foreign] = hiddenMatrix(rng, 2, 3)
				faulty = append(faulty, foreign)
			}
			if rng.IntN(5) == 0 && len(faulty) > 0 { // every feed is looked at, fetched or not
				fetches, targets = nil, nil
				faulty = slices.DeleteFunc(faulty, func(n *graph.Node) bool { _, fed := feeds[n]; return !fed || n != foreign && n.Shape.Accepts(feeds[n]) })
			}
			call := fmt.Sprintf("Run(%q, feeds) before Init", hiddenNames(fetches))
			_, err := got.Run(fetches, feeds)
			if len(faulty) > 0 {
				hiddenFails(t, call, err, faulty...)
			} else if err != nil {
				t.Errorf("%s gave the error %v", call, err)
			}
			if len(targets) > 0 {
				got = learner.NewSession(w.g) // some variables have a value now
			}
		}
	})
}

func TestHiddenVariables(t *testing.T) {
	defer check.Rescue(t)
	hiddenWorlds(t, 30, (*graph.Graph).Variable, func(t *testing.T, rng *rand.Rand, w hiddenWorld) {
		for k := range 4 { // two assigns to a variable
			w.assigns = append(w.assigns, w.g.Assign(w.variables[k%3], w.made[rng.IntN(len(w.made))]))
		}
		w.assigns = append(w.assigns, w.g.Assign(w.variables[0], w.assigns[0]))
		w.all = append(w.all, w.g.Add(w.assigns[rng.IntN(7)], w.assigns[rng.IntN(7)]), w.g.Add(w.assigns[rng.IntN(7)], w.made[rng.IntN(len(w.made))]))
		got, want := learner.NewSession(w.g), reference.NewSession(w.g)
		got.Init()
		want.Init()
		for range 15 {
			fetches, feeds := w.fetch(rng), w.feed(rng)
			if rng.IntN(5) == 0 {
				delete(feeds, w.x)
			}
			if rng.IntN(4) == 0 {
				n := w.assigns[rng.IntN(len(w.assigns))]
				fetches, feeds[n] = append(fetches, n), hiddenMatrix(rng, 2, 3)
			}
			passed := hiddenFeeds(feeds)
			call := fmt.Sprintf("Run(%q, feeds)", hiddenNames(fetches))
			g, err := got.Run(fetches, passed)
			r, wantErr := want.Run(fetches, feeds)
			if wantErr != nil {
				check.Fails(t, call, err)
			} else if err != nil {
				t.Errorf("%s gave the error %v", call, err)
			} else {
				check.Equal(t, call, g, r, check.Rel(1e-9))
				for _, m := range g { // a result is the caller's, and so is a feed
					m.Zero()
				}
				for _, m := range passed {
					m.Zero()
				}
			}
			g, err = got.Run(w.variables, nil)
			r, _ = want.Run(w.variables, nil)
			if err != nil {
				t.Errorf("Run of the variables gave the error %v", err)
			} else {
				check.Equal(t, "the variables after "+call, g, r, check.Rel(1e-9))
			}
			if rng.IntN(5) == 0 {
				got.Init()
				want.Init()
			}
		}
	})
}

// The gradients are evaluated by the reference.
func TestHiddenGradients(t *testing.T) {
	defer check.Rescue(t)
	hiddenWorlds(t, 10, (*graph.Graph).Variable, func(t *testing.T, rng *rand.Rand, w hiddenWorld) {
		s := reference.NewSession(w.g)
		s.Init()
		compare := func(loss *graph.Node, wrt ...*graph.Node) {
			t.Helper()
			call := fmt.Sprintf("Gradients(loss, %q)", hiddenNames(wrt))
			learnt, err := learner.Gradients(loss, wrt...)
			right, _ := reference.Gradients(loss, wrt...)
			if err != nil {
				t.Errorf("%s gave the error %v", call, err)
				return
			}
			feeds := map[*graph.Node]*mat.Dense{w.x: hiddenMatrix(rng, 2, 3)}
			g, err := s.Run(learnt, feeds)
			if err != nil {
				t.Errorf("what %s gave does not run: %v", call, err)
				return
			}
			r, _ := s.Run(right, feeds)
			check.Equal(t, call, g, r, check.Tol{Rel: 1e-8, Abs: 1e-9})
		}
		var known []*graph.Node
		for _, n := range w.all {
			if _, err := reference.Gradients(w.loss, n); err != nil {
				_, err := learner.Gradients(w.loss, n)
				check.Fails(t, fmt.Sprintf("Gradients(loss, %q)", n.Name), err, fmt.Sprintf("%q", n.Name))
				continue
			}
			compare(w.loss, n)
			known = append(known, n)
		}
		compare(w.loss, w.loss, known[rng.IntN(len(known))], w.variables[0], known[rng.IntN(len(known))])

		// A penalty on a gradient is a loss too.
		slope, _ := reference.Gradients(w.loss, w.variables[0])
		compare(w.g.Mean(w.g.Mul(w.g.Mul(slope[0], slope[0]), w.variables[0])), w.variables[0])

		foreign := graph.New().Constant("foreign", hiddenMatrix(rng, 2, 3))
		_, err := learner.Gradients(w.loss, w.variables[0], foreign)
		check.Fails(t, "Gradients of a node of another graph", err, `"foreign"`)
		matrix := w.made[rng.IntN(len(w.made))]
		_, err = learner.Gradients(matrix, matrix)
		check.Fails(t, "Gradients of a loss that is no scalar", err, fmt.Sprintf("%q", matrix.Name))
		column := w.g.MatMul(w.x, w.g.Constant("column", hiddenMatrix(rng, 3, 1)))
		_, err = learner.Gradients(column, w.x)
		check.Fails(t, "Gradients of a loss of unknown rows", err, fmt.Sprintf("%q", column.Name))
		assign := w.g.Assign(w.variables[1], w.g.Mul(w.variables[2], w.made[rng.IntN(len(w.made))]))
		_, err = learner.Gradients(w.g.Mean(w.g.Mul(assign, w.variables[1])), w.variables[2])
		check.Fails(t, "Gradients through an Assign", err, fmt.Sprintf("%q", assign.Name))
	})
}
