//go:build hidden

package session_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	learner "whyhow/katas/q18-session-run"
	"whyhow/katas/q18-session-run/graph"
	reference "whyhow/solutions/q18-session-run"
)

// world is a random graph of 2×3 nodes.
type world struct {
	g                    *graph.Graph
	x                    *graph.Node
	variables, made, all []*graph.Node
	assigns              []*graph.Node
	loss                 *graph.Node
}

func random(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}

func newWorld(rng *rand.Rand) world {
	g := graph.New()
	w := world{g: g, x: g.Placeholder("x", graph.Unknown, 3)}
	w.made = []*graph.Node{w.x, g.Constant("c", random(rng, 2, 3))}
	square := g.Constant("square", random(rng, 3, 3))
	for k := range 3 {
		v := g.Variable(fmt.Sprint("v", k), random(rng, 2, 3))
		w.variables, w.made = append(w.variables, v), append(w.made, v)
	}
	small := []*graph.Node{g.Variable("row", random(rng, 1, 3)), g.Variable("column", random(rng, 2, 1)), g.Variable("scalar", random(rng, 1, 1))}
	pick := func() *graph.Node { return w.made[rng.IntN(len(w.made))] }
	for range 15 {
		var n *graph.Node
		switch rng.IntN(9) {
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
		}
		w.made = append(w.made, n)
	}
	w.all = append(append(w.all, w.made...), small...)
	w.loss = g.Mean(w.made[2])
	for _, n := range w.made[3:] { // every node counts
		w.loss = g.Add(w.loss, g.Mean(g.Mul(n, w.made[1])))
	}
	for k, v := range w.variables {
		w.assigns = append(w.assigns, g.Assign(v, w.made[len(w.made)-1-k]))
	}
	return w
}

func TestHidden(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	for k := range 30 {
		t.Run(fmt.Sprint("graph ", k), func(t *testing.T) {
			defer check.Rescue(t)
			w := newWorld(rng)
			got, want := learner.NewSession(w.g), reference.NewSession(w.g)
			got.Init()
			want.Init()
			nodes := append(append([]*graph.Node{}, w.all...), w.assigns...)
			for range 10 {
				var fetches []*graph.Node
				for range 1 + rng.IntN(4) {
					fetches = append(fetches, nodes[rng.IntN(len(nodes))])
				}
				feeds := map[*graph.Node]*mat.Dense{w.x: random(rng, 2, 3)}
				for range rng.IntN(3) {
					feeds[w.made[rng.IntN(len(w.made))]] = random(rng, 2, 3)
				}
				if rng.IntN(5) == 0 {
					delete(feeds, w.x)
				}
				require.Equal(t, names(reference.Ancestors(fetches, feeds)), names(learner.Ancestors(fetches, feeds)), "Ancestors")
				require.Len(t, learner.Order(reference.Ancestors(fetches, feeds)), len(reference.Ancestors(fetches, feeds)), "Order")
				g, err := got.Run(fetches, feeds)
				r, wantErr := want.Run(fetches, feeds)
				require.Equal(t, wantErr == nil, err == nil, "Run gave the error %v, want %v", err, wantErr)
				check.Equal(t, "Run(fetches, feeds)", g, r, check.Rel(1e-9))
				g, err = got.Run(w.variables, nil)
				require.NoError(t, err)
				r, _ = want.Run(w.variables, nil)
				check.Equal(t, "the variables after the run", g, r, check.Rel(1e-9))
			}
			got.Init()
			want.Init()
			for _, n := range w.all {
				learnt, err := learner.Gradients(w.loss, n)
				right, wantErr := reference.Gradients(w.loss, n)
				require.Equal(t, wantErr == nil, err == nil, "Gradients gave the error %v, want %v", err, wantErr)
				if err != nil {
					continue
				}
				feeds := map[*graph.Node]*mat.Dense{w.x: random(rng, 2, 3)}
				g, err := got.Run(learnt, feeds)
				require.NoError(t, err)
				r, err := want.Run(right, feeds)
				require.NoError(t, err)
				check.Equal(t, "the gradient for "+n.Name, g, r, check.Tol{Rel: 1e-8, Abs: 1e-9})
			}
		})
	}
}
