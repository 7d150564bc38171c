package graph_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/q18-session-run/graph"
)

func dense(rows, columns int, v ...float64) *mat.Dense { return mat.NewDense(rows, columns, v) }

func TestEval(t *testing.T) {
	g := graph.New()
	a, b := g.Placeholder("a", 2, graph.Unknown), g.Placeholder("b", 2, graph.Unknown)
	x, y := dense(2, 3, 1, -2, 3, 4, 0, -6), dense(2, 3, 1, 2, 3, 4, 5, 6)
	row, one := dense(1, 3, 1, 2, 3), dense(1, 1, 12)
	w := g.Variable("w", y)
	for name, c := range map[string]struct {
		node   *graph.Node
		inputs []*mat.Dense
		want   *mat.Dense
	}{
		"constant":       {g.Constant("", y), nil, y},
		"add":            {g.Add(a, b), []*mat.Dense{x, y}, dense(2, 3, 2, 0, 6, 8, 5, 0)},
		"sub":            {g.Sub(a, b), []*mat.Dense{x, y}, dense(2, 3, 0, -4, 0, 0, -5, -12)},
		"mul":            {g.Mul(a, b), []*mat.Dense{x, y}, dense(2, 3, 1, -4, 9, 16, 0, -36)},
		"mat_mul":        {g.MatMul(a, g.Transpose(b)), []*mat.Dense{x, mat.DenseCopyOf(y.T())}, dense(2, 2, 6, 12, -14, -20)},
		"transpose":      {g.Transpose(a), []*mat.Dense{x}, dense(3, 2, 1, 4, -2, 0, 3, -6)},
		"relu":           {g.ReLU(a), []*mat.Dense{x}, dense(2, 3, 1, 0, 3, 4, 0, 0)},
		"step":           {g.Step(a), []*mat.Dense{x}, dense(2, 3, 1, 0, 1, 1, 0, 0)},
		"mean":           {g.Mean(a), []*mat.Dense{x}, dense(1, 1, 0)},
		"broadcast_like": {g.BroadcastLike(g.Placeholder("row", 1, 3), a), []*mat.Dense{row, x}, dense(2, 3, 1, 2, 3, 1, 2, 3)},
		"sum_like":       {g.SumLike(a, g.Placeholder("sums", 1, graph.Unknown)), []*mat.Dense{x, row}, dense(1, 3, 5, -2, -3)},
		"spread_like":    {g.SpreadLike(g.Mean(a), a), []*mat.Dense{one, x}, dense(2, 3, 2, 2, 2, 2, 2, 2)},
		"assign":         {g.Assign(w, a), []*mat.Dense{x}, x},
	} {
		t.Run(name, func(t *testing.T) {
			passed := check.Copy(c.inputs)
			got, err := graph.Eval(c.node, passed)
			require.NoError(t, err)
			check.Equal(t, "Eval", got, c.want, check.Exact, check.Kept("inputs", passed, c.inputs))
			got.Set(0, 0, 99)
			check.Equal(t, "the inputs after the result was written to", passed, c.inputs, check.Exact)
		})
	}
}

func TestEvalNamesTheNode(t *testing.T) {
	g := graph.New()
	a, b := g.Placeholder("a", graph.Unknown, 2), g.Placeholder("b", graph.Unknown, 2)
	w := g.Variable("w", dense(1, 2, 1, 2))
	for name, c := range map[string]struct {
		node   *graph.Node
		inputs []*mat.Dense
	}{
		"a":    {a, nil},
		"w":    {w, nil},
		"both": {g.Add(a, b).As("both"), []*mat.Dense{dense(1, 2, 1, 2), dense(2, 2, 1, 2, 3, 4)}},
		"keep": {g.Assign(w, a).As("keep"), []*mat.Dense{dense(3, 2, 1, 2, 3, 4, 5, 6)}},
		"dot":  {g.MatMul(a, g.Transpose(b)).As("dot"), []*mat.Dense{dense(1, 2, 1, 2), dense(3, 1, 1, 2, 3)}},
	} {
		_, err := graph.Eval(c.node, c.inputs)
		require.ErrorContains(t, err, `"`+name+`"`)
	}
}

func TestNames(t *testing.T) {
	g := graph.New()
	x := g.Placeholder("x", 1, 1)
	require.Equal(t, []string{"relu", "relu_1", "x_1"}, []string{g.ReLU(x).Name, g.ReLU(x).Name, g.Placeholder("x", 1, 1).Name})
	require.Panics(t, func() { g.Step(x).As("relu") })
	var names []string
	for _, n := range g.Nodes() {
		require.Same(t, g, n.Graph())
		names = append(names, n.Name)
	}
	require.Equal(t, []string{"relu", "relu_1", "step", "x", "x_1"}, names)
}

func TestShapes(t *testing.T) {
	g := graph.New()
	known, open := g.Placeholder("known", 2, 3), g.Placeholder("open", graph.Unknown, 3)
	require.Equal(t, graph.Shape{2, 3}, g.Add(open, known).Shape)
	require.Equal(t, "?×3", open.Shape.String())
	require.True(t, open.Shape.Accepts(dense(1, 3, 1, 2, 3)))
	require.False(t, known.Shape.Accepts(dense(1, 3, 1, 2, 3)))
	require.False(t, open.Shape.Accepts(nil))
	require.False(t, open.Shape.Accepts(new(mat.Dense)))
	other := graph.New().Placeholder("other", 2, 3)
	for name, build := range map[string]func(){
		"rows differ":            func() { g.Add(known, g.Placeholder("", 3, 3)) },
		"inner sizes differ":     func() { g.MatMul(known, known) },
		"two rows to three":      func() { g.BroadcastLike(known, g.Placeholder("", 3, 3)) },
		"three rows to two":      func() { g.SumLike(known, g.Placeholder("", 3, 3)) },
		"spread of a matrix":     func() { g.SpreadLike(known, known) },
		"another graph":          func() { g.Add(known, other) },
		"no variable":            func() { g.Assign(known, known) },
		"a value of other shape": func() { g.Assign(g.Variable("v", dense(1, 1, 1)), known) },
	} {
		require.Panics(t, build, name)
	}
}

func TestTrace(t *testing.T) {
	g := graph.New()
	x := g.Placeholder("x", 1, 1)
	twice := g.Add(x, x)
	var seen []*graph.Node
	g.Trace = func(n *graph.Node) { seen = append(seen, n) }
	_, err := graph.Eval(twice, []*mat.Dense{dense(1, 1, 2), dense(1, 1, 2)})
	require.NoError(t, err)
	require.Equal(t, []*graph.Node{twice}, seen)
}
