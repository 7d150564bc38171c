package session_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	session "whyhow/katas/q18-session-run"
	"whyhow/katas/q18-session-run/graph"
)

// evaluate returns the value of n with no session: every variable and constant has the Value it was made with.
func evaluate(t *testing.T, n *graph.Node, values map[*graph.Node]*mat.Dense) *mat.Dense {
	t.Helper()
	if v, ok := values[n]; ok {
		return v
	}
	var inputs []*mat.Dense
	for _, in := range n.Inputs {
		inputs = append(inputs, evaluate(t, in, values))
	}
	v := n.Value
	if n.Op != graph.OpVariable {
		var err error
		v, err = graph.Eval(n, inputs)
		require.NoError(t, err)
	}
	values[n] = v
	return v
}

// gradients returns the values of Gradients(loss, wrt...), each of the shape of its w.
func gradients(t *testing.T, why string, loss *graph.Node, wrt ...*graph.Node) []*mat.Dense {
	t.Helper()
	var grads nodes
	var err error
	times := traced(loss.Graph(), func() { grads, err = session.Gradients(loss, wrt...) })
	require.NoError(t, err, "Gradients(loss, wrt...)")
	require.Empty(t, times, "Gradients evaluated nodes: it only builds them")
	require.Len(t, grads, len(wrt), "Gradients gave %d nodes for %d of wrt", len(grads), len(wrt))
	out, values := make([]*mat.Dense, len(wrt)), map[*graph.Node]*mat.Dense{}
	for i, w := range wrt {
		require.Same(t, loss.Graph(), grads[i].Graph(), "the gradient of %q is a node of another graph than the loss", w.Name)
		out[i] = evaluate(t, grads[i], values)
		want := evaluate(t, w, values)
		rows, columns := out[i].Dims()
		wantRows, wantColumns := want.Dims()
		require.Equal(t, [2]int{wantRows, wantColumns}, [2]int{rows, columns}, "the gradient of %q is %d×%d, want its shape, %d×%d: %s", w.Name, rows, columns, wantRows, wantColumns, why)
	}
	return out
}

// losses are the losses of the golden cases, as PyTorch computed them.
var losses = map[string]func(t *testing.T, g *graph.Graph, in nodes) *graph.Node{
	"perceptron": func(_ *testing.T, g *graph.Graph, in nodes) *graph.Node {
		x, w, b, v, c, y := in[0], in[1], in[2], in[3], in[4], in[5]
		xw := g.MatMul(x, w)
		hv := g.MatMul(g.ReLU(g.Add(xw, g.BroadcastLike(b, xw))), v)
		return meanSquare(g, g.Sub(g.Add(hv, g.BroadcastLike(c, hv)), y))
	},
	"shared": func(_ *testing.T, g *graph.Graph, in nodes) *graph.Node {
		x, a := in[0], in[1]
		h := g.ReLU(g.MatMul(x, a))
		u := g.Add(g.Mul(h, x), h)
		return g.Mean(g.MatMul(g.Add(g.Mul(g.Sub(u, x), h), u), a))
	},
	"transposed": func(_ *testing.T, g *graph.Graph, in nodes) *graph.Node {
		x, s := in[0], in[1]
		xx := g.MatMul(x, g.Transpose(x))
		return g.Mean(g.Mul(g.ReLU(g.Sub(xx, g.BroadcastLike(s, xx))), xx))
	},
	"column": func(_ *testing.T, g *graph.Graph, in nodes) *graph.Node {
		x, s, c := in[0], in[1], in[2]
		return g.Mean(g.Mul(g.Sub(g.Mul(x, g.BroadcastLike(s, x)), g.BroadcastLike(c, x)), x))
	},
	"penalty": func(t *testing.T, g *graph.Graph, in nodes) *graph.Node {
		x, w, y := in[0], in[1], in[2]
		return meanCube(t, g, meanSquare(g, g.Sub(g.MatMul(x, w), y)), w)
	},
	"penalty of a bias": func(t *testing.T, g *graph.Graph, in nodes) *graph.Node {
		x, b := in[0], g.BroadcastLike(in[1], in[0])
		return meanCube(t, g, meanSquare(g, g.Add(g.Mul(g.Add(x, b), x), b)), in[1])
	},
}

func meanSquare(g *graph.Graph, e *graph.Node) *graph.Node { return g.Mean(g.Mul(e, e)) }

// meanCube is the mean of the cubed gradient of loss: a loss of second order.
func meanCube(t *testing.T, g *graph.Graph, loss, w *graph.Node) *graph.Node {
	t.Helper()
	grads, err := session.Gradients(loss, w)
	require.NoError(t, err, "Gradients(loss, %s)", w.Name)
	return g.Mean(g.Mul(g.Mul(grads[0], grads[0]), grads[0]))
}

// forward is the loss of the perceptron without a graph.
func forward(in []*mat.Dense) float64 {
	x, w, b, v, c, y := in[0], in[1], in[2], in[3], in[4], in[5]
	var z, out mat.Dense
	z.Mul(x, w)
	z.Apply(func(_, j int, value float64) float64 { return max(value+b.At(0, j), 0) }, &z)
	out.Mul(&z, v)
	out.Apply(func(i, j int, value float64) float64 {
		return (value + c.At(0, j) - y.At(i, j)) * (value + c.At(0, j) - y.At(i, j))
	}, &out)
	rows, columns := out.Dims()
	return mat.Sum(&out) / float64(rows*columns)
}

func normal(rng *rand.Rand, rows, columns int) *mat.Dense {
	return mat.NewDense(rows, columns, check.Normal(rng, rows*columns, 1))
}
