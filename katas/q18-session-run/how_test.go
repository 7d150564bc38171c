package session_test

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	session "whyhow/katas/q18-session-run"
	"whyhow/katas/q18-session-run/graph"
)

type (
	nodes = []*graph.Node
	feeds = map[*graph.Node]*mat.Dense
)

// names returns the names of the nodes that are true in set, sorted.
func names(set map[*graph.Node]bool) []string {
	var out []string
	for n, needed := range set {
		if needed {
			out = append(out, n.Name)
		}
	}
	slices.Sort(out)
	return out
}

func scalar(v float64) *mat.Dense { return mat.NewDense(1, 1, []float64{v}) }

func row(v ...float64) *mat.Dense { return mat.NewDense(1, len(v), v) }

// diamond is x → h → left, right → top, and side, which nothing needs.
type diamond struct {
	g                              *graph.Graph
	x, h, left, right, top, square *graph.Node
	side                           *graph.Node
}

func newDiamond() diamond {
	g := graph.New()
	x := g.Placeholder("x", graph.Unknown, 2)
	h := g.Add(x, x).As("h")
	left, right := g.ReLU(h).As("left"), g.Step(h).As("right")
	top := g.Add(left, right).As("top")
	return diamond{g: g, x: x, h: h, left: left, right: right, top: top, square: g.Mul(top, top).As("square"), side: g.Mul(h, x).As("side")}
}

// Nodes and graphs are handed on as they are.
var opaque = []check.Option{check.Opaque[*graph.Node](), check.Opaque[*graph.Graph]()}

func TestAncestors(t *testing.T) {
	defer check.Rescue(t)
	d := newDiamond()
	w := d.g.Variable("w", row(1, 2))
	assign := d.g.Assign(w, d.g.BroadcastLike(d.g.Constant("c", scalar(3)), w).As("spread"))
	reset := d.g.Assign(w, d.g.Constant("zeros", row(0, 0))).As("reset")
	everything := []string{"assign_w", "c", "h", "left", "reset", "right", "side", "spread", "square", "top", "w", "x", "zeros"}
	const all, cut, itself, fetch, target = "you took every node of the graph: only what the fetches depend on must run",
		"you went on behind a fed node: a feed cuts its ancestors off",
		"you kept a fed node: it has its value already, and is not run",
		"you left out the fetches: they are what must run",
		"you followed the Target of an Assign: it is written, not read, and Inputs alone say what a node depends on"
	for _, c := range []struct {
		name     string
		fetches  nodes
		feeds    feeds
		want     []string
		mistakes map[string][]string
		why      string
	}{
		{
			"the top",
			nodes{d.top},
			nil,
			[]string{"h", "left", "right", "top", "x"},
			map[string][]string{all: everything, fetch: {"h", "left", "right", "x"}},
			"a fetch and all it depends on, through Inputs",
		},
		{
			"left is fed",
			nodes{d.square},
			feeds{d.left: row(1, 2)},
			[]string{"h", "right", "square", "top", "x"},
			map[string][]string{all: everything, itself: {"h", "left", "right", "square", "top", "x"}},
			"h is still needed by right",
		},
		{
			"h is fed",
			nodes{d.top},
			feeds{d.h: row(1, 2)},
			[]string{"left", "right", "top"},
			map[string][]string{cut: {"left", "right", "top", "x"}, itself: {"h", "left", "right", "top"}, all: everything},
			"nothing but h needs x",
		},
		{"the fetch is fed", nodes{d.h}, feeds{d.h: row(1, 2)}, nil, map[string][]string{itself: {"h"}, cut: {"x"}}, "a fed fetch runs nothing"},
		{"two fetches", nodes{d.right, d.side}, feeds{d.x: row(1, 2)}, []string{"h", "right", "side"}, nil, "what either depends on"},
		{"an assign", nodes{assign}, nil, []string{"assign_w", "c", "spread", "w"}, map[string][]string{all: everything}, "spread reads w for its shape"},
		{
			"an assign of a constant",
			nodes{reset},
			nil,
			[]string{"reset", "zeros"},
			map[string][]string{all: everything, target: {"reset", "w", "zeros"}},
			"the old value of w is not read",
		},
		{"nothing", nil, nil, nil, nil, "no fetches, no work"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			opts := []check.Option{check.Why(c.why)}
			for says, value := range c.mistakes {
				opts = append(opts, check.Mistake(value, says))
			}
			check.Equal(t, "Ancestors(fetches, feeds), by name,", names(session.Ancestors(c.fetches, c.feeds)), c.want, check.Exact, opts...)
		})
	}
	check.Independent(t, "Ancestors(fetches, feeds)", session.Ancestors,
		check.Args{nodes{d.square, d.side}, feeds{d.h: row(1, 2)}}, check.Args{nodes{d.right}, feeds{d.left: row(1, 2)}}, opaque...)
}

func TestOrder(t *testing.T) {
	defer check.Rescue(t)
	ordered := func(t *testing.T, needed map[*graph.Node]bool) {
		t.Helper()
		order := session.Order(maps.Clone(needed))
		at := map[*graph.Node]int{}
		for i, n := range order {
			_, twice := at[n]
			require.False(t, twice, "Order(needed) holds %q twice: a node runs once a run, however many use it", n.Name)
			require.True(t, needed[n], "Order(needed) holds %q, which is not needed: leave out inputs that are not in the set", n.Name)
			at[n] = i
		}
		for n := range needed {
			i, ok := at[n]
			require.Equal(t, needed[n], ok, "Order(needed) left out %q", n.Name)
			if !ok {
				continue
			}
			for _, in := range n.Inputs {
				if j, ok := at[in]; ok {
					require.Less(t, j, i, "Order(needed) put %q before its input %q: inputs come before users", n.Name, in.Name)
				}
			}
		}
		for range 20 {
			require.True(t, slices.Equal(order, session.Order(maps.Clone(needed))),
				"Order(needed) gave two orders of the same nodes: a map is ranged in random order, so don't let its order decide")
		}
	}
	d := newDiamond()
	t.Run("a diamond", func(t *testing.T) {
		defer check.Rescue(t)
		ordered(t, map[*graph.Node]bool{d.x: true, d.h: true, d.left: true, d.right: true, d.top: true, d.square: true})
	})
	t.Run("h is fed", func(t *testing.T) {
		defer check.Rescue(t)
		ordered(t, map[*graph.Node]bool{d.left: true, d.right: true, d.top: true, d.x: false})
	})
	t.Run("nothing", func(t *testing.T) {
		defer check.Rescue(t)
		ordered(t, nil)
	})
	t.Run("sixty sums in a row", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		top := g.Constant("", scalar(1))
		needed := map[*graph.Node]bool{top: true}
		for k := range 60 {
			top = g.Add(top, top).As(fmt.Sprintf("sum %02d", 60-k))
			needed[top] = true
		}
		ordered(t, needed) // 2⁶⁰ ways lead down
		check.Equal(t, "the number of Ancestors of sixty sums in a row", len(session.Ancestors(nodes{top}, nil)), 61, check.Exact,
			check.Why("each node is visited once, however many ways lead to it"))
	})
	t.Run("a random graph", func(t *testing.T) {
		defer check.Rescue(t)
		rng, g := check.Rand(t), graph.New()
		made := nodes{g.Constant("", scalar(1)), g.Variable("", scalar(2)), g.Placeholder("", 1, 1)}
		needed := map[*graph.Node]bool{made[0]: true, made[1]: true}
		for k := range 40 {
			a, b := made[rng.IntN(len(made))], made[rng.IntN(len(made))]
			n := []func() *graph.Node{ // an Assign has users like any other
				func() *graph.Node { return g.Add(a, b) }, func() *graph.Node { return g.Assign(made[1], a) }, func() *graph.Node { return g.SumLike(a, b) },
			}[k%3]().As(fmt.Sprintf("n%d", (k*17+5)%40)) // names in no order
			made = append(made, n)
			needed[n] = rng.IntN(4) > 0
		}
		ordered(t, needed)
	})
	check.Independent(t, "Order(needed)", session.Order,
		check.Args{map[*graph.Node]bool{d.h: true, d.left: true, d.right: false, d.x: true}}, check.Args{map[*graph.Node]bool{d.h: true, d.top: true}}, opaque...)
}

// traced returns what g evaluates while f runs: the number of times, by name.
func traced(g *graph.Graph, f func()) map[string]int {
	times := map[string]int{}
	g.Trace = func(n *graph.Node) { times[n.Name]++ }
	defer func() { g.Trace = nil }()
	f()
	return times
}

func TestRun(t *testing.T) {
	defer check.Rescue(t)
	d := newDiamond()
	run := func(t *testing.T, s *session.Session, fetches nodes, f feeds) []*mat.Dense {
		t.Helper()
		got, err := s.Run(fetches, f)
		require.NoError(t, err, "Run(fetches, feeds)")
		require.Len(t, got, len(fetches), "Run(fetches, feeds) gave %d results for %d fetches", len(got), len(fetches))
		return got
	}
	x := mat.NewDense(3, 2, []float64{1, -2, 0.5, 3, -4, 0})
	h := mat.NewDense(3, 2, []float64{2, -4, 1, 6, -8, 0})
	top := mat.NewDense(3, 2, []float64{3, 0, 2, 7, 0, 0})
	square := mat.NewDense(3, 2, []float64{9, 0, 4, 49, 0, 0})

	t.Run("results in the order of the fetches", func(t *testing.T) {
		defer check.Rescue(t)
		s := session.NewSession(d.g)
		passed := mat.DenseCopyOf(x)
		got := run(t, s, nodes{d.square, d.h, d.top, d.h}, feeds{d.x: passed})
		check.Equal(t, "Run([square h top h], x)", got, []*mat.Dense{square, h, top, h}, check.Rel(1e-12), check.Kept("x", passed, x),
			check.Mistake([]*mat.Dense{h, h, top, square}, "you returned the results in the order in which they ran: they come in the order of the fetches"))
		check.Equal(t, "Run of no fetches", run(t, s, nil, nil), []*mat.Dense(nil), check.Exact)
	})
	t.Run("what runs", func(t *testing.T) {
		defer check.Rescue(t)
		s := session.NewSession(d.g)
		times := traced(d.g, func() { run(t, s, nodes{d.square, d.top}, feeds{d.x: check.Copy(x)}) })
		for _, name := range []string{"h", "left", "right", "top", "square"} {
			require.NotZero(t, times[name], "Run([square top], x) did not evaluate %q: give every node that runs to graph.Eval", name)
			require.Equal(t, 1, times[name], "Run([square top], x) evaluated %q %d times: a node runs once a run, however many use it", name, times[name])
		}
		require.NotContains(t, times, "side", "Run([square top], x) evaluated \"side\", which no fetch depends on: run only what is needed")
		require.NotContains(t, times, "x", "Run([square top], x) evaluated \"x\", which is fed")
		g := graph.New()
		one := g.Constant("one", scalar(1))
		two := g.Add(one, one).As("two")
		s = session.NewSession(g)
		for _, when := range []string{"first", "second"} {
			times := traced(g, func() { run(t, s, nodes{two, one}, nil) })
			check.Equal(t, "how often the "+when+" Run([two one]) of two = one + one evaluates each", times, map[string]int{"one": 1, "two": 1}, check.Exact,
				check.Why("a constant is a node like any other: graph.Eval evaluates it, once in every run"))
		}
	})
	t.Run("another feed", func(t *testing.T) {
		defer check.Rescue(t)
		s := session.NewSession(d.g)
		first := run(t, s, nodes{d.top}, feeds{d.x: row(1, -2)})[0]
		check.Equal(t, "Run([top], x) of x = (1, −2)", first, row(3, 0), check.Rel(1e-12))
		check.Equal(t, "Run([top], x) of x = (3, 5) after one of (1, −2)", run(t, s, nodes{d.top}, feeds{d.x: row(3, 5)})[0], row(7, 11), check.Rel(1e-12),
			check.Mistake(row(3, 0), "you kept values from an earlier run: nothing but variables lives between runs"))
	})
	t.Run("an intermediate is fed", func(t *testing.T) {
		defer check.Rescue(t)
		s := session.NewSession(d.g)
		var got []*mat.Dense
		times := traced(d.g, func() { got = run(t, s, nodes{d.top, d.side, d.h}, feeds{d.x: row(1, -2), d.h: row(10, 20)}) })
		check.Equal(t, "Run([top side h], x and h)", got, []*mat.Dense{row(11, 21), row(10, -40), row(10, 20)}, check.Rel(1e-12),
			check.Why("a fed node has the value of its feed, for all its users"),
			check.Mistake([]*mat.Dense{row(3, 0), row(2, 8), row(2, -4)}, "you computed h although it is fed: any node may be fed, not only a placeholder"))
		require.NotContains(t, times, "h", "Run evaluated \"h\", which is fed")
		check.Equal(t, "Run([top], h), without x", run(t, s, nodes{d.top}, feeds{d.h: row(10, 20)})[0], row(11, 21), check.Rel(1e-12),
			check.Why("nothing needs x once h is fed"))
	})
	t.Run("a node of each operation is fed", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		c, v := g.Constant("c", row(1, 2)), g.Variable("v", row(3, 4))
		for _, n := range []*graph.Node{
			g.Placeholder("x", 1, 2), c, v, g.Add(c, c), g.Sub(c, c), g.Mul(c, c), g.MatMul(g.Mean(c), c), g.Transpose(g.Transpose(c)), g.ReLU(c), g.Step(c),
			g.BroadcastLike(c, c), g.SumLike(c, c), g.SpreadLike(g.Mean(c), c), g.Assign(v, c), g.Mean(c),
		} {
			value, user := row(-7, 0.5), g.Sub(n, n).As("n − n of "+n.Name)
			if n.Op == graph.OpMean {
				value = scalar(-7)
			}
			var got []*mat.Dense
			s := session.NewSession(g)
			times := traced(g, func() {
				var err error
				got, err = s.Run(nodes{n, user}, feeds{n: check.Copy(value)})
				require.NoError(t, err, "Run([n n−n], n) of n, a %s that is fed, gave an error: any node may be fed", n.Op)
			})
			_, columns := value.Dims()
			if !check.Equal(t, fmt.Sprintf("Run([n n−n], n) of n, a %s that is fed,", n.Op), got, []*mat.Dense{value, mat.NewDense(1, columns, nil)}, check.Exact,
				check.Why("any node may be fed")) {
				return
			}
			require.Equal(t, map[string]int{user.Name: 1}, times, "Run([n n−n], n) evaluated more than n−n, or not that: n, a %s, is fed", n.Op)
		}
	})
	t.Run("results are the caller's", func(t *testing.T) {
		defer check.Rescue(t)
		s := session.NewSession(d.g)
		passed := row(1, 2)
		run(t, s, nodes{d.x}, feeds{d.x: passed})[0].Set(0, 0, 99)
		check.Equal(t, "a feed, after its fetched value was overwritten,", passed, row(1, 2), check.Exact,
			check.Mistake(row(99, 2), "you handed out the feed itself: a result shares no data with the feeds, return copies"))
	})
	check.Independent(t, "NewSession(g)", session.NewSession, check.Args{d.g}, check.Args{graph.New()}, opaque...)
	check.Independent(t, "s.Run(fetches, feeds)", (*session.Session).Run,
		check.Args{session.NewSession(d.g), nodes{d.top, d.x, d.x}, feeds{d.x: row(1, 2)}},
		check.Args{session.NewSession(d.g), nodes{d.square, d.h, d.x}, feeds{d.x: row(3, -4)}}, opaque...)
}

func TestErrors(t *testing.T) {
	defer check.Rescue(t)
	other := graph.New()
	foreign := other.Constant("foreign", scalar(1))
	g := graph.New()
	x, y := g.Placeholder("pixels", graph.Unknown, 2), g.Placeholder("labels", graph.Unknown, 2)
	w := g.Variable("weights", row(1, 2))
	square, one := g.Placeholder("square", 2, 2), g.Constant("one", scalar(1))
	sum := g.Add(x, y).As("sum")
	scaled := g.Mul(x, w).As("scaled")
	for _, c := range []struct {
		name    string
		fetches nodes
		feeds   feeds
		names   string // what the error must contain
		why     string
	}{
		{"a placeholder without a feed", nodes{sum}, feeds{x: row(1, 2)}, "labels", "the placeholder has no value: a missing feed is not zero"},
		{"an uninitialised variable", nodes{scaled}, feeds{x: row(1, 2)}, "weights", "Init was not called: a variable has no value before it"},
		{"a feed of three columns", nodes{x}, feeds{x: row(1, 2, 3)}, "pixels", "the placeholder is ?×2, and the feed is 1×3"},
		{"a wrong feed that is not needed", nodes{x}, feeds{x: row(1, 2), scaled: row(1, 2, 3)}, "scaled", "every feed is checked, needed or not"},
		{"a feed of one row for two", nodes{square}, feeds{square: row(1, 2)}, "square", "the placeholder is 2×2, and the feed is 1×2"},
		{"a feed of one row for two that is not needed", nodes{x}, feeds{x: row(1, 2), square: row(1, 2)}, "square", "the placeholder is 2×2, and the feed is 1×2"},
		{"a nil feed of a constant", nodes{one}, feeds{one: nil}, "one", "nil has no shape, also where the node has a value of its own"},
		{"a nil feed that is not needed", nodes{one}, feeds{x: nil}, "pixels", "nil has no shape, and every feed is checked"},
		{"a nil feed", nodes{x}, feeds{x: nil}, "pixels", "nil has no shape"},
		{"a fetch of another graph", nodes{foreign}, nil, "foreign", "the fetch is a node of another graph than the session's"},
		{"a feed of another graph", nodes{x}, feeds{x: row(1, 2), foreign: scalar(1)}, "foreign", "the fed node is one of another graph than the session's"},
		{"a feed of three columns, and no fetch", nil, feeds{x: row(1, 2, 3)}, "pixels", "every feed is checked, also where nothing is fetched"},
		{"shapes that clash in the run", nodes{sum}, feeds{x: row(1, 2), y: mat.NewDense(2, 2, nil)}, "sum", "graph.Eval reports it"},
	} {
		t.Run(c.name, func(t *testing.T) {
			defer check.Rescue(t)
			_, err := session.NewSession(g).Run(c.fetches, c.feeds)
			check.Fails(t, fmt.Sprintf("Run with %s (%s)", c.name, c.why), err, fmt.Sprintf("%q", c.names))
		})
	}
	if t.Failed() {
		return
	}
	namesake := other.Placeholder("pixels", graph.Unknown, 2)
	for what, c := range map[string]struct {
		fetches nodes
		feeds   feeds
		names   string
	}{
		"a second fetch of another graph":                               {nodes{x, foreign}, feeds{x: row(1, 2)}, "foreign"},
		"a feed of a placeholder of another graph, of x's name,":        {nodes{x}, feeds{x: row(1, 2), namesake: row(1, 2)}, "pixels"},
		"a feed of another graph's placeholder in the place of its own": {nodes{x}, feeds{namesake: row(1, 2)}, "pixels"},
	} {
		_, err := session.NewSession(g).Run(c.fetches, c.feeds)
		check.Fails(t, "Run with "+what, err, fmt.Sprintf("%q", c.names))
	}
	t.Run("what is not needed is no error", func(t *testing.T) {
		defer check.Rescue(t)
		s := session.NewSession(g)
		for _, c := range []struct {
			fetch *graph.Node
			feeds feeds
		}{{x, feeds{x: row(1, 2)}}, {scaled, feeds{x: row(1, 2), w: row(3, 4)}}, {scaled, feeds{scaled: row(1, 2)}}} {
			_, err := s.Run(nodes{c.fetch}, c.feeds)
			require.NoError(t, err, "Run([%s], feeds): no placeholder and no variable without a value is needed here", c.fetch.Name)
		}
	})
}

func TestVariables(t *testing.T) {
	defer check.Rescue(t)
	g := graph.New()
	w, v := g.Variable("w", row(1, 2)), g.Variable("v", row(30, 40))
	x := g.Placeholder("x", 1, 2)
	take := g.Assign(w, x).As("take")
	tol := check.Rel(1e-12)
	run := func(t *testing.T, s *session.Session, f feeds, fetches ...*graph.Node) []*mat.Dense {
		t.Helper()
		got, err := s.Run(fetches, f)
		require.NoError(t, err, "Run(fetches, feeds)")
		require.Len(t, got, len(fetches), "Run(fetches, feeds) gave %d results for %d fetches", len(got), len(fetches))
		return got
	}
	ready := func() *session.Session {
		s := session.NewSession(g)
		s.Init()
		return s
	}
	t.Run("values live between runs", func(t *testing.T) {
		defer check.Rescue(t)
		s, another := ready(), ready()
		check.Equal(t, "Run([w v]) after Init", run(t, s, nil, w, v), []*mat.Dense{row(1, 2), row(30, 40)}, tol)
		check.Equal(t, "Run([take take], x)", run(t, s, feeds{x: row(5, 6)}, take, take), []*mat.Dense{row(5, 6), row(5, 6)}, tol,
			check.Why("the value of an Assign is the new one; fetched twice it still runs once"))
		check.Equal(t, "w in the next run", run(t, s, nil, w)[0], row(5, 6), tol, check.Why("a variable keeps what was assigned"),
			check.Mistake(row(1, 2), "you lost the assigned value: the session keeps it for the next run"))
		check.Equal(t, "w in another session", run(t, another, nil, w)[0], row(1, 2), tol,
			check.Mistake(row(5, 6), "you keep the values of variables in the graph: they belong to a session"))
		s.Init()
		check.Equal(t, "w after another Init", run(t, s, nil, w)[0], row(1, 2), tol,
			check.Mistake(row(5, 6), "you let Init keep what a variable has: it gives every variable its initial value"))
		empty := session.NewSession(g)
		run(t, empty, feeds{x: row(5, 6)}, take)
		check.Equal(t, "w, assigned without Init,", run(t, empty, nil, w)[0], row(5, 6), tol, check.Why("an Assign does not read its Target"))
	})
	t.Run("variables only", func(t *testing.T) {
		defer check.Rescue(t)
		s := ready()
		run(t, s, feeds{x: row(5, 6)}, take, g.Add(v, g.Constant("one", row(1, 1))))
		s.Init() // now there is a constant
		got := map[string]bool{}
		for n := range s.Variables {
			got[n.Name] = true
		}
		check.Equal(t, "the session's Variables", got, map[string]bool{"w": true, "v": true}, check.Exact, check.Why("a session holds the values of the variables and nothing else between runs"),
			check.Mistake(map[string]bool{"w": true, "v": true, "one": true}, "you gave constants a place among the variables: a Value is theirs too, the Op tells them apart"))
	})
	t.Run("a read sees the start of the run", func(t *testing.T) {
		defer check.Rescue(t)
		after, before := g.Add(take, w).As("after"), g.Add(w, take).As("before")
		s := ready()
		check.Equal(t, "Run([after before w take], x), take + w twice, w and take", run(t, s, feeds{x: row(5, 6)}, after, before, w, take),
			[]*mat.Dense{row(6, 8), row(6, 8), row(1, 2), row(5, 6)}, tol,
			check.Why("take gives x, and every read of w gives what w was when the run began"),
			check.Mistake([]*mat.Dense{row(10, 12), row(10, 12), row(5, 6), row(5, 6)}, "you let a read see an assign of the same run: assigns take effect at its end"))
		s = ready()
		run(t, s, nil, g.Assign(w, v), g.Assign(v, w))
		const half = "you let one assign see the other's effect: both read at the start of the run"
		check.Equal(t, "w and v after w ← v and v ← w in one run", run(t, s, nil, w, v), []*mat.Dense{row(30, 40), row(1, 2)}, tol,
			check.Mistake([]*mat.Dense{row(30, 40), row(30, 40)}, half), check.Mistake([]*mat.Dense{row(1, 2), row(1, 2)}, half))
	})
	t.Run("an Assign that is not fetched itself", func(t *testing.T) {
		defer check.Rescue(t)
		s, fetched := ready(), ready()
		run(t, fetched, feeds{x: row(5, 6)}, take)
		opts := []check.Option{check.Why("the fetch depends on take, so take runs")}
		if mat.Equal(run(t, fetched, nil, w)[0], row(5, 6)) {
			opts = append(opts, check.Mistake(row(1, 2), "you stored the Assigns that were fetched only: one that a fetch depends on runs too"))
		}
		run(t, s, feeds{x: row(5, 6)}, g.Add(take, v))
		check.Equal(t, "w after a run that fetched take + v", run(t, s, nil, w)[0], row(5, 6), tol, opts...)
	})
	t.Run("a variable that is younger than the session", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		s := session.NewSession(g)
		young := g.Variable("young", row(8, 9))
		s.Init()
		got, err := s.Run(nodes{young}, nil)
		require.NoError(t, err, "Run([young]): NewSession, then the variable young, then Init. Init gives every variable that the graph has now its value")
		check.Equal(t, "Run([young])", got, []*mat.Dense{row(8, 9)}, tol)
	})
	t.Run("a feed of a variable is for one run", func(t *testing.T) {
		defer check.Rescue(t)
		s := ready()
		check.Equal(t, "Run([w], w)", run(t, s, feeds{w: row(7, 8)}, w)[0], row(7, 8), tol,
			check.Mistake(row(1, 2), "you read the session although w is fed: any node may be fed, a variable too"))
		check.Equal(t, "w in the next run", run(t, s, nil, w)[0], row(1, 2), tol, check.Mistake(row(7, 8), "you stored the feed of a variable: only an Assign changes it"))
		const both = "Run([w take], w and x)"
		check.Equal(t, both, run(t, s, feeds{w: row(7, 8), x: row(5, 6)}, w, take), []*mat.Dense{row(7, 8), row(5, 6)}, tol)
		opts := []check.Option{
			check.Why("w was fed and assigned: a feed is what the run reads, what it assigns is kept"),
			check.Mistake(row(7, 8), "you stored the feed of a variable: only an Assign changes it"),
		}
		unfed := ready()
		run(t, unfed, feeds{x: row(5, 6)}, take)
		if mat.Equal(run(t, unfed, nil, w)[0], row(5, 6)) {
			opts = append(opts, check.Mistake(row(1, 2), "you left an Assign out because its Target was fed"))
		}
		check.Equal(t, "w after "+both, run(t, s, nil, w)[0], row(5, 6), tol, opts...)
	})
	t.Run("an error changes nothing", func(t *testing.T) {
		defer check.Rescue(t)
		rows := g.Placeholder("rows", graph.Unknown, 2)
		clash := g.Add(rows, g.Add(take, take)).As("clash")
		twice, again := g.Assign(w, g.Add(x, x)).As("twice"), g.Assign(w, x).As("again")
		same, sameAgain := g.Assign(w, g.Constant("same", row(1, 2))), g.Assign(w, w)
		for _, c := range []struct {
			name, names string
			fetches     nodes
			feeds       feeds
		}{
			{"a placeholder without a feed", "rows", nodes{take, rows}, feeds{x: row(5, 6)}},
			{"shapes that clash after the assign", "clash", nodes{take, clash}, feeds{x: row(5, 6), rows: mat.NewDense(3, 2, nil)}},
			{"two assigns to one variable", "w", nodes{take, twice}, feeds{x: row(5, 6)}},
			{"two assigns of one value to one variable", "w", nodes{take, again}, feeds{x: row(5, 6)}},
			{"two assigns that give it the value that it has", "w", nodes{same, sameAgain}, nil},
			{"two assigns, one of them not fetched itself", "w", nodes{take, g.Add(twice, v)}, feeds{x: row(5, 6)}},
			{"two assigns that two fetches depend on", "w", nodes{g.Add(take, v), g.Add(twice, v)}, feeds{x: row(5, 6)}},
			{"two assigns to one variable, one of the other's value", "w", nodes{g.Assign(w, take)}, feeds{x: row(5, 6)}},
			{"a feed of the wrong shape", "x", nodes{take}, feeds{x: row(5, 6, 7)}},
			{"a feed of the wrong shape that is not needed", "rows", nodes{take}, feeds{x: row(5, 6), rows: row(1, 2, 3)}},
		} {
			s := ready()
			_, err := s.Run(c.fetches, c.feeds)
			if !check.Fails(t, "Run with "+c.name, err, fmt.Sprintf("%q", c.names)) {
				return
			}
			if !check.Equal(t, "w after a run with "+c.name, run(t, s, nil, w)[0], row(1, 2), tol,
				check.Why("assigns take effect only if the run succeeds"),
				check.Mistake(row(5, 6), "you assigned although the run failed: keep the new values until nothing can fail any more")) {
				return
			}
			check.Equal(t, "w in the second run after one with "+c.name, run(t, s, nil, w)[0], row(1, 2), tol,
				check.Mistake(row(5, 6), "you kept what the failed run wanted to assign, and the next run assigned it"))
		}
	})
	t.Run("two assigns to one variable, and one is fed", func(t *testing.T) {
		defer check.Rescue(t)
		s, twice := ready(), g.Assign(w, g.Add(x, x))
		const why = "an Assign that is fed does not run, and gives the variable nothing"
		got, err := s.Run(nodes{take, twice}, feeds{x: row(5, 6), take: row(7, 8)})
		require.NoError(t, err, "Run([take twice], x and take): %s", why)
		check.Equal(t, "Run([take twice], x and take)", got, []*mat.Dense{row(7, 8), row(10, 12)}, tol, check.Why(why))
		check.Equal(t, "w after that", run(t, s, nil, w)[0], row(10, 12), tol, check.Why(why), check.Mistake(row(7, 8), "you assigned what was fed"))
	})
	t.Run("nothing is shared", func(t *testing.T) {
		defer check.Rescue(t)
		s := ready()
		run(t, s, nil, w)[0].Set(0, 0, 99)
		const out, in = "you handed out the session's own matrix: return a copy", "you kept the caller's feed: the session needs a copy"
		check.Equal(t, "w, after a fetched value of it was overwritten,", run(t, s, nil, w)[0], row(1, 2), tol, check.Mistake(row(99, 2), out))
		s.Init()
		check.Equal(t, "w, after that and another Init,", run(t, s, nil, w)[0], row(1, 2), tol, check.Mistake(row(99, 2), out))
		passed := row(5, 6)
		got := run(t, s, feeds{x: passed, take: row(0, 0)}, x, take)
		check.Equal(t, "Run([x take], x and take)", got, []*mat.Dense{row(5, 6), row(0, 0)}, tol)
		check.Equal(t, "w after a run in which its Assign was fed", run(t, s, nil, w)[0], row(1, 2), tol, check.Why("a fed node does not run, an Assign neither"))
		run(t, s, feeds{x: passed}, take)[0].Set(0, 1, 77)
		passed.Set(0, 0, 99)
		check.Equal(t, "w, after the feed and the result were overwritten,", run(t, s, nil, w)[0], row(5, 6), tol,
			check.Mistake(row(99, 6), in), check.Mistake(row(99, 77), in), check.Mistake(row(5, 77), out))
	})
	args := func(at, to *mat.Dense, fetches ...*graph.Node) check.Args {
		return check.Args{&session.Session{Graph: g, Variables: map[*graph.Node]*mat.Dense{w: at, v: at}}, fetches, feeds{x: to}}
	}
	check.Independent(t, "s.Run(fetches, feeds)", (*session.Session).Run, args(row(1, 2), row(3, 4), take, v, x), args(row(5, 6), row(7, 8), take, v, w),
		append(opaque, check.InPlace("s"))...)
	init := func(s *session.Session) { s.Init() }
	check.Independent(t, "Init(s)", init, args(row(1, 2), nil)[:1], check.Args{session.NewSession(graph.New())}, append(opaque, check.InPlace("s"))...)
}

// mistake is a wrong gradient, and what leads to it.
type mistake struct {
	says  string
	value *mat.Dense
}

type gradientCase struct {
	Name   string
	Inputs []check.Array
	Loss   check.Array
	Grads  []check.Array
}

func TestGradients(t *testing.T) {
	defer check.Rescue(t)
	tol := check.Rel(1e-9)
	rng := check.Rand(t)
	apply := func(f func(i, j int) float64, rows, columns int) *mat.Dense {
		out := mat.NewDense(rows, columns, nil)
		out.Apply(func(i, j int, _ float64) float64 { return f(i, j) }, out)
		return out
	}
	// One operation at a time, in loss = Mean(c ∘ f(x, a)): the gradient at f is c divided by its number of values.
	x, a, c := normal(rng, 3, 4), normal(rng, 3, 4), normal(rng, 3, 4)
	b, d := normal(rng, 4, 2), normal(rng, 4, 3)
	correct := map[string]bool{}
	for _, one := range []struct {
		name     string
		build    func(g *graph.Graph, x *graph.Node) *graph.Node // what is multiplied by c, cut to its shape
		want     *mat.Dense
		mistakes []mistake
		why      string
	}{
		{
			"x", func(g *graph.Graph, x *graph.Node) *graph.Node { return x },
			apply(func(i, j int) float64 { return c.At(i, j) / 12 }, 3, 4),
			[]mistake{
				{"you did not divide by the number of values: each has 1/n of the mean", c},
				{"you multiplied by the first factor: the gradient of a factor is dy times the other one", apply(func(i, j int) float64 { return x.At(i, j) / 12 }, 3, 4)},
			},
			"of 12 values each counts for 1/12 in the mean",
		},
		{
			"x∘a + x∘c", func(g *graph.Graph, x *graph.Node) *graph.Node {
				return g.Add(g.Mul(x, g.Constant("a", a)), g.Mul(x, g.Constant("c", c)))
			},
			apply(func(i, j int) float64 { return c.At(i, j) / 12 * (a.At(i, j) + c.At(i, j)) }, 3, 4),
			[]mistake{
				{"you kept the gradient of one path only: where paths meet, gradients add up", apply(func(i, j int) float64 { return c.At(i, j) / 12 * a.At(i, j) }, 3, 4)},
				{"you kept the gradient of one path only: where paths meet, gradients add up", apply(func(i, j int) float64 { return c.At(i, j) / 12 * c.At(i, j) }, 3, 4)},
			},
			"two paths lead to x",
		},
		{
			"x∘x", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Mul(x, x) },
			apply(func(i, j int) float64 { return c.At(i, j) / 6 * x.At(i, j) }, 3, 4),
			[]mistake{
				{"you kept the gradient of one factor only: x is both factors", apply(func(i, j int) float64 { return c.At(i, j) / 12 * x.At(i, j) }, 3, 4)},
			},
			"the derivative of a square",
		},
		{
			"a − x", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Sub(g.Constant("a", a), x) },
			apply(func(i, j int) float64 { return -c.At(i, j) / 12 }, 3, 4),
			[]mistake{
				{"you gave what is subtracted the gradient of what it is subtracted from: its sign is the other", apply(func(i, j int) float64 { return c.At(i, j) / 12 }, 3, 4)},
			},
			"x is subtracted",
		},
		{
			"relu(x)", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.ReLU(x) },
			apply(func(i, j int) float64 {
				if x.At(i, j) > 0 {
					return c.At(i, j) / 12
				}
				return 0
			}, 3, 4),
			[]mistake{
				{"you let the gradient through where ReLU is flat: it passes only where its input is above 0", apply(func(i, j int) float64 { return c.At(i, j) / 12 }, 3, 4)},
				{"you multiplied by relu(x), its value: the slope is 0 or 1", apply(func(i, j int) float64 { return c.At(i, j) / 12 * max(x.At(i, j), 0) }, 3, 4)},
			},
			"a slope of 1 above 0, of 0 elsewhere",
		},
		{
			"x∘a + x∘a∘a", func(g *graph.Graph, x *graph.Node) *graph.Node {
				h := g.Mul(x, g.Constant("a", a))
				return g.Add(h, g.Mul(h, g.Constant("a", a)))
			},
			apply(func(i, j int) float64 { return c.At(i, j) / 12 * a.At(i, j) * (1 + a.At(i, j)) }, 3, 4),
			[]mistake{
				{"you passed a node's gradient on before all its users had added to it", apply(func(i, j int) float64 { return c.At(i, j) / 12 * a.At(i, j) }, 3, 4)},
				{"you passed a node's gradient on before all its users had added to it", apply(func(i, j int) float64 { return c.At(i, j) / 12 * a.At(i, j) * (2 + a.At(i, j)) }, 3, 4)},
			},
			"x∘a is one node with two users, and its gradient is complete only after both",
		},
		{
			"x + BroadcastLike(r, x)∘a", func(g *graph.Graph, x *graph.Node) *graph.Node {
				return g.Add(x, g.Mul(g.BroadcastLike(g.Constant("r", row(1, 2, 3, 4)), x), g.Constant("a", a)))
			},
			apply(func(i, j int) float64 { return c.At(i, j) / 12 }, 3, 4),
			[]mistake{
				{"you let the gradient flow to the like of BroadcastLike: only its shape counts", apply(func(i, j int) float64 { return c.At(i, j) / 12 * (1 + a.At(i, j)) }, 3, 4)},
			},
			"x is also a like, and that adds nothing",
		},
		{
			"SumLike(x, r)", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.SumLike(x, g.Constant("r", row(1, 2, 3, 4))) },
			apply(func(_, j int) float64 { return c.At(0, j) / 4 }, 3, 4), nil, "what SumLike summed, its gradient repeats",
		},
		{
			"SumLike(x, s), s a scalar,", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.SumLike(x, g.Constant("s", scalar(7))) },
			apply(func(_, _ int) float64 { return c.At(0, 0) }, 3, 4), nil, "every value counts once in the sum",
		},
		{
			"SumLike(x, s), s a column,", func(g *graph.Graph, x *graph.Node) *graph.Node {
				return g.SumLike(x, g.Constant("s", mat.NewDense(3, 1, []float64{7, 8, 9})))
			},
			apply(func(i, _ int) float64 { return c.At(i, 0) / 3 }, 3, 4), nil, "what SumLike summed along a row, its gradient repeats along it",
		},
		{
			"SpreadLike(Mean(x), a)", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.SpreadLike(g.Mean(x), g.Constant("a", a)) },
			apply(func(_, _ int) float64 { return mat.Sum(c) / (12 * 12 * 12) }, 3, 4),
			[]mistake{
				{"you summed the gradients of what SpreadLike spread: each value is x/n, so divide by n", apply(func(_, _ int) float64 { return mat.Sum(c) / (12 * 12) }, 3, 4)},
			},
			"12 values, each of them 1/12 of the mean",
		},
		{
			"xᵀ", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Transpose(x) },
			apply(func(i, j int) float64 { return c.At(j%3, i) / 12 }, 3, 4), nil, "transposing back",
		},
		{
			"(x·d)ᵀ", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Transpose(g.MatMul(x, g.Constant("d", d))) },
			apply(func(i, j int) float64 {
				return (c.At(0, i)*d.At(j, 0) + c.At(1, i)*d.At(j, 1) + c.At(2, i)*d.At(j, 2)) / 9
			}, 3, 4),
			nil, "transposing back, also where both sides are as long",
		},
		{
			"x·b", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.MatMul(x, g.Constant("b", b)) },
			apply(func(i, j int) float64 { return (c.At(i, 0)*b.At(j, 0) + c.At(i, 1)*b.At(j, 1)) / 6 }, 3, 4), nil, "row i of x meets row j of bᵀ",
		},
	} {
		correct[one.name] = t.Run("one operation, "+one.name, func(t *testing.T) {
			defer check.Rescue(t)
			g := graph.New()
			xn := g.Variable("x", x)
			f := one.build(g, xn)
			// c, cut or turned to the shape of f
			weight := apply(func(i, j int) float64 { return c.At(i%3, j) }, f.Shape.Rows, f.Shape.Columns)
			loss := g.Mean(g.Mul(f, g.Constant("weight", weight)))
			opts := []check.Option{check.Why(one.why)}
			for _, m := range one.mistakes {
				if one.name == "x∘a + x∘a∘a" && !correct["x∘a + x∘c"] {
					continue // who keeps one path keeps one here
				}
				opts = append(opts, check.Mistake(m.value, m.says))
			}
			check.Equal(t, "the gradient of Mean(("+one.name+") ∘ c) for x", gradients(t, one.why, loss, xn)[0], one.want, tol, opts...)
		})
	}
	t.Run("one operation, relu at 0", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		xn := g.Variable("x", row(-2, 0, 3))
		const why = "the slope of ReLU at 0 is 0, as in Step"
		check.Equal(t, "the gradient of Mean(relu(x)) for x = (−2, 0, 3)", gradients(t, why, g.Mean(g.ReLU(xn)), xn)[0], row(0, 0, 1./3), tol, check.Why(why),
			check.Mistake(row(0, 1./3, 1./3), "you gave ReLU the slope 1 at 0: here it is 0"),
			check.Mistake(row(0, 1./6, 1./3), "you gave ReLU the slope 1/2 at 0: here it is 0"))
	})
	t.Run("one operation, relu near 0", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		xn := g.Variable("x", row(-1e-200, 1e-200, 1e-9, -1e-9))
		const why = "above 0 the slope of ReLU is 1, however small x is"
		check.Equal(t, "the gradient of Mean(relu(x)) for x = (−1e-200, 1e-200, 1e-9, −1e-9)", gradients(t, why, g.Mean(g.ReLU(xn)), xn)[0], row(0, 0.25, 0.25, 0), tol,
			check.Why(why))
	})
	t.Run("one operation, a row repeated", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		bn, cn := g.Variable("b", normal(rng, 1, 4)), g.Constant("c", c)
		want := apply(func(_, j int) float64 { return (c.At(0, j) + c.At(1, j) + c.At(2, j)) / 12 }, 1, 4)
		const why = "what BroadcastLike repeated, its gradient sums"
		check.Equal(t, "the gradient of Mean(BroadcastLike(b, c) ∘ c) for b", gradients(t, why, g.Mean(g.Mul(g.BroadcastLike(bn, cn), cn)), bn)[0], want, tol, check.Why(why))
	})

	for _, c := range check.Golden[gradientCase](t, "gradients") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			g := graph.New()
			in, values := make(nodes, len(c.Inputs)), make([]*mat.Dense, len(c.Inputs))
			for i, v := range c.Inputs {
				values[i] = v.Dense()
				in[i] = g.Variable(fmt.Sprintf("input %d", i), values[i])
			}
			loss := losses[c.Name](t, g, in).As("loss")
			check.Equal(t, "the loss", evaluate(t, loss, map[*graph.Node]*mat.Dense{}).At(0, 0), c.Loss.Float(), tol,
				check.Why("PyTorch's; in a penalty the loss is made of a gradient"))
			got := gradients(t, "a gradient has the shape of what it is the gradient of", loss, in...)
			for i, want := range c.Grads {
				call := fmt.Sprintf("the gradient of %s for input %d", c.Name, i)
				check.Equal(t, call, got[i], want.Dense(), tol, check.Why("PyTorch's autograd"))
				if c.Name == "perceptron" {
					check.Gradient(t, call, got[i], values[i], func() float64 { return forward(values) })
				}
			}
		})
	}

	t.Run("rows that only a run decides", func(t *testing.T) {
		defer check.Rescue(t)
		fixed := normal(rng, 2, 3)
		for _, one := range []struct {
			name  string
			build func(g *graph.Graph, x *graph.Node) *graph.Node
		}{
			{"x", func(_ *graph.Graph, x *graph.Node) *graph.Node { return x }},
			{"x∘x", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Mul(x, x) }},
			{"relu(x)", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.ReLU(x) }},
			{"x∘x − x", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Sub(g.Mul(x, x), x) }},
			{"x·b", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.MatMul(x, g.Constant("b", fixed)) }},
			{"x·xᵀ", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.MatMul(x, g.Transpose(x)) }},
			{"SumLike(x, r)∘r", func(g *graph.Graph, x *graph.Node) *graph.Node {
				r := g.Constant("r", row(2, -3))
				return g.Mul(g.SumLike(x, r), r)
			}},
			{"BroadcastLike(w, x)∘x", func(g *graph.Graph, x *graph.Node) *graph.Node {
				return g.Mul(g.BroadcastLike(g.Constant("w", row(2, -3)), x), x)
			}},
			{"SpreadLike(Mean(x), x)", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.SpreadLike(g.Mean(x), x) }},
		} {
			g := graph.New()
			xn := g.Placeholder("x", graph.Unknown, 2)
			name, loss := one.name, g.Mean(one.build(g, xn))
			grads, err := session.Gradients(loss, xn)
			require.NoError(t, err, "Gradients(Mean(%s), x)", name)
			for _, rows := range []int{1, 3, 5} {
				value := normal(rng, rows, 2)
				value.Set(0, 0, 1.5)                                                                       // above 0, and none near it
				value.Apply(func(_, _ int, v float64) float64 { return v + math.Copysign(0.1, v) }, value) // for ReLU
				got := evaluate(t, grads[0], map[*graph.Node]*mat.Dense{xn: check.Copy(value)})
				call := fmt.Sprintf("the gradient of Mean(%s) for x, ?×2 in the graph and %d×2 in the run,", name, rows)
				opts := []check.Option{check.Why("how many values a mean has may be known in the run only: SpreadLike asks there")}
				if name == "x" {
					each := func(v float64) *mat.Dense { return apply(func(_, _ int) float64 { return v }, rows, 2) }
					const early = "you divided by what the Shape says while the graph is built: its rows are Unknown, −1"
					if !check.Equal(t, call, got, each(1/float64(2*rows)), tol, append(opts, check.Mistake(each(-0.5), early))...) {
						return
					}
				}
				if !check.Gradient(t, call, got, value, func() float64 {
					return evaluate(t, loss, map[*graph.Node]*mat.Dense{xn: value}).At(0, 0)
				}, opts...) {
					return
				}
			}
		}
	})
	if t.Failed() {
		return
	}
	square, weight := normal(rng, 3, 3), normal(rng, 3, 3)
	var left, right, minus, shared mat.Dense // the gradients of the two factors, of a term that is subtracted, of one that is not
	left.Mul(weight, square.T())
	right.Mul(square.T(), weight)
	left.Scale(1./9, &left)
	right.Scale(1./9, &right)
	shared.Scale(1./9, weight)
	minus.Scale(-1./9, weight)
	for _, one := range []struct {
		name        string
		build       func(g *graph.Graph, x *graph.Node) *graph.Node
		first, next *mat.Dense
	}{
		{"x·x", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.MatMul(x, x) }, &left, &right},
		{"x + x", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Add(x, x) }, &shared, &shared},
		{"x − x", func(g *graph.Graph, x *graph.Node) *graph.Node { return g.Sub(x, x) }, &shared, &minus},
	} {
		t.Run("the same input twice, "+one.name, func(t *testing.T) {
			defer check.Rescue(t)
			g := graph.New()
			xn := g.Variable("x", square)
			var want mat.Dense
			want.Add(one.first, one.next)
			const why = "x is both inputs, and its gradient is the sum of theirs"
			says := "you kept the gradient of one input of " + one.name + " only: x is both"
			check.Equal(t, "the gradient of Mean(("+one.name+") ∘ c) for x, 3×3,", gradients(t, why, g.Mean(g.Mul(one.build(g, xn), g.Constant("c", weight))), xn)[0], &want,
				tol, check.Why(why), check.Mistake(one.first, says), check.Mistake(one.next, says))
		})
	}
	t.Run("intermediate nodes", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		xn := g.Variable("x", x)
		h := g.Mul(xn, g.Constant("a", a))
		loss := g.Mean(g.Mul(h, g.Constant("c", c)))
		got := gradients(t, "a gradient has the shape of what it is the gradient of", loss, loss, h, xn)
		check.Equal(t, "Gradients(loss, loss, h, x)", got, []*mat.Dense{
			scalar(1), apply(func(i, j int) float64 { return c.At(i, j) / 12 }, 3, 4), apply(func(i, j int) float64 { return a.At(i, j) * c.At(i, j) / 12 }, 3, 4),
		}, tol, check.Why("the loss's own gradient is 1; asking for h does not stop what flows on to x"))
		check.Equal(t, "Gradients(loss, loss)", gradients(t, "the loss is 1×1", loss, loss), []*mat.Dense{scalar(1)}, tol)
		gradients(t, "there is no w", loss)
	})
	t.Run("errors", func(t *testing.T) {
		defer check.Rescue(t)
		g := graph.New()
		w, unused := g.Variable("weights", row(1, 2)), g.Variable("unused", row(1, 2))
		matrix := g.Mul(w, w).As("matrix")
		loss := g.Mean(matrix).As("loss")
		foreign := graph.New().Variable("foreign", row(1, 2))
		assign := g.Assign(w, g.Mul(unused, unused)).As("assign")
		one, like := g.Variable("one value", scalar(1)), g.Variable("like", row(1, 2))
		for _, c := range []struct {
			loss, wrt *graph.Node
			names     string
			why       string
		}{
			{matrix, w, "matrix", "a loss is 1×1"},
			{g.MatMul(g.Placeholder("x", graph.Unknown, 1), one).As("tall"), one, "tall", "a loss is 1×1, and how many rows this one has only a run decides"},
			{g.MatMul(one, g.Placeholder("y", 1, graph.Unknown)).As("wide"), one, "wide", "a loss is 1×1, and how many columns this one has only a run decides"},
			{loss, unused, "unused", "the loss does not depend on it: that is more likely a mistake than a gradient of 0"},
			{g.Mean(g.Step(w)), w, "weights", "no gradient flows through Step"},
			{g.Mean(g.BroadcastLike(g.Constant("one", scalar(1)), w)), w, "weights", "of w only the shape counts here"},
			{loss, foreign, "foreign", "it belongs to another graph"},
			{g.Mean(assign), unused, "assign", "an Assign has no gradient"},
		} {
			t.Run(c.why, func(t *testing.T) {
				defer check.Rescue(t)
				_, err := session.Gradients(c.loss, c.wrt)
				check.Fails(t, fmt.Sprintf("Gradients(%s, %s) (%s)", c.loss.Name, c.wrt.Name, c.why), err, fmt.Sprintf("%q", c.names))
			})
		}
		_, err := session.Gradients(matrix)
		if !check.Fails(t, "Gradients(matrix) of a matrix of 1×2, for no w,", err, `"matrix"`) || t.Failed() {
			return
		}
		for _, f := range []*graph.Node{g.BroadcastLike(one, like), g.SumLike(g.BroadcastLike(one, w), like), g.SpreadLike(one, like)} {
			_, err := session.Gradients(g.Mean(f), one, like)
			if !check.Fails(t, fmt.Sprintf("Gradients(loss, one value, like) of loss = Mean(f), f a %s whose second input is like (of like only the shape counts)", f.Op), err, `"like"`) {
				return
			}
		}
		got := gradients(t, "a gradient has the shape of what it is the gradient of", loss, w, w, matrix, w)
		check.Equal(t, "Gradients(loss, weights, weights, matrix, weights)", got, []*mat.Dense{row(1, 2), row(1, 2), row(0.5, 0.5), row(1, 2)}, tol,
			check.Why("one node for each w, in their order, also where one comes twice"))
		got = gradients(t, "a gradient has the shape of what it is the gradient of", g.Mean(g.Add(w, assign)), w, assign)
		check.Equal(t, "Gradients(Mean(weights + assign), weights, assign)", got, []*mat.Dense{row(0.5, 0.5), row(0.5, 0.5)}, tol,
			check.Why("the Assign is not between the loss and either of them"))
	})
	g := graph.New()
	w, other := g.Variable("w", row(1, 2)), g.Variable("other", row(3, 4))
	gradientsOf := func(loss *graph.Node, wrt []*graph.Node) ([]*graph.Node, error) {
		return session.Gradients(loss, wrt...)
	}
	loss := g.Mean(g.Mul(w, other))
	check.Independent(t, "Gradients(loss, wrt)", gradientsOf, check.Args{loss, nodes{w, other}}, check.Args{loss, nodes{other, w}}, append(opaque, check.AnyAnswer())...) // new nodes in every call
}
