package session_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/figure"
	session "whyhow/katas/q18-session-run"
	"whyhow/katas/q18-session-run/graph"
)

// regression is a linear model, its loss, the gradients of the loss and one step of gradient descent: one graph.
type regression struct {
	g                *graph.Graph
	x, y, w, b       *graph.Node
	prediction, loss *graph.Node
	gradW, gradB     *graph.Node
	trainW, trainB   *graph.Node
	forward, update  nodes // what the figure shows
}

func newRegression(t *testing.T, features int, rate float64) regression {
	t.Helper()
	g := graph.New()
	r := regression{
		g: g, x: g.Placeholder("x", graph.Unknown, features), y: g.Placeholder("y", graph.Unknown, 1),
		w: g.Variable("w", mat.NewDense(features, 1, nil)), b: g.Variable("b", scalar(0)),
	}
	xw := g.MatMul(r.x, r.w).As("x·w")
	bias := g.BroadcastLike(r.b, xw).As("b, repeated")
	r.prediction = g.Add(xw, bias).As("prediction")
	e := g.Sub(r.prediction, r.y).As("error")
	square := g.Mul(e, e).As("error²")
	r.loss = g.Mean(square).As("loss")
	grads, err := session.Gradients(r.loss, r.w, r.b)
	require.NoError(t, err, "Gradients(loss, w, b)")
	r.gradW, r.gradB = grads[0].As("∂loss/∂w"), grads[1].As("∂loss/∂b")
	eta := g.Constant("η", scalar(rate))
	next := func(v, grad *graph.Node) *graph.Node {
		return g.Assign(v, g.Sub(v, g.Mul(g.BroadcastLike(eta, grad), grad)))
	}
	r.trainW, r.trainB = next(r.w, r.gradW).As("assign w"), next(r.b, r.gradB).As("assign b")
	r.forward = nodes{xw, bias, r.prediction, e, square, r.loss}
	r.update = nodes{r.gradW, r.gradB, r.trainW, r.trainB}
	return r
}

// TestWhyPruning counts what runs, for several fetches of one graph.
func TestWhyPruning(t *testing.T) {
	defer check.Rescue(t)
	r := newRegression(t, 3, 0.1)
	rng := check.Rand(t)
	x, y := normal(rng, 20, 3), normal(rng, 20, 1)
	s := session.NewSession(r.g)
	s.Init()
	both := feeds{r.x: x, r.y: y}
	rows := append(append(nodes{}, r.forward...), r.update...)
	heat := make([][]float64, len(rows))
	var ticks, labels []string
	for _, n := range rows {
		labels = append(labels, n.Name)
	}
	for _, c := range []struct {
		name    string
		fetches nodes
		feeds   feeds
		forward []float64 // what of x·w, b repeated, prediction, error, error², loss runs
		update  []float64 // what of ∂loss/∂w, ∂loss/∂b, assign w, assign b
	}{
		{"prediction", nodes{r.prediction}, feeds{r.x: x}, []float64{1, 1, 1, 0, 0, 0}, []float64{0, 0, 0, 0}},
		{"loss", nodes{r.loss}, both, []float64{1, 1, 1, 1, 1, 1}, []float64{0, 0, 0, 0}},
		{"loss, prediction fed", nodes{r.loss}, feeds{r.prediction: y, r.y: y}, []float64{0, 0, 0, 1, 1, 1}, []float64{0, 0, 0, 0}},
		{"assign b", nodes{r.trainB}, both, nil, []float64{0, 1, 0, 1}},
		{"assign w and b", nodes{r.trainW, r.trainB}, both, nil, []float64{1, 1, 1, 1}},
	} {
		times := traced(r.g, func() {
			_, err := s.Run(c.fetches, c.feeds)
			require.NoError(t, err, "Run of "+c.name)
		})
		var counts []float64
		total := 0.0
		for k, n := range rows {
			heat[k] = append(heat[k], float64(times[n.Name]))
			counts = append(counts, float64(times[n.Name]))
		}
		for name, k := range times {
			total += float64(k)
			check.Equal(t, "how often "+name+" ran for the fetch of "+c.name, k, 1, check.Exact, check.Why("what runs, runs once a run"))
		}
		if c.forward != nil {
			check.Equal(t, "what of "+labels[0]+" … "+labels[5]+" ran for the fetch of "+c.name, counts[:6], c.forward, check.Exact)
		}
		check.Equal(t, "what of the gradients and assigns ran for the fetch of "+c.name, counts[6:], c.update, check.Exact)
		t.Logf("%s: %.0f nodes ran", c.name, total)
		ticks = append(ticks, fmt.Sprintf("%s: %.0f nodes", c.name, total))
	}

	// x, 2x, 4x, …: without sharing, node k would be evaluated 2^(19−k) times.
	const depth = 20
	g := graph.New()
	top := g.Placeholder("x", 1, 1)
	leaf := top
	for range depth {
		top = g.Add(top, top)
	}
	var got []*mat.Dense
	evaluations := 0
	for _, k := range traced(g, func() {
		var err error
		got, err = session.NewSession(g).Run(nodes{top}, feeds{leaf: scalar(1)})
		require.NoError(t, err)
	}) {
		evaluations += k
	}
	t.Logf("a chain of %d doublings: 1 becomes %.0f in %d evaluations; with each use evaluated anew they would be %d", depth, got[0].At(0, 0), evaluations, 1<<depth-1)
	check.Equal(t, "20 doublings of 1", got[0].At(0, 0), math.Pow(2, depth), check.Exact)
	check.Equal(t, "evaluations of 20 doublings", evaluations, depth, check.Exact)

	figure.Save(t, "pruning", figure.Figure{
		Title:   "A run evaluates what its fetches need, once, and nothing else",
		Caption: "One graph holds model, loss, gradients and training step. How often each node ran in five runs, named by what was fetched; their totals count the nodes of the gradients that have no row here.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "fetched, and how many nodes ran in all", Ticks: ticks}, Y: figure.Axis{Label: "node", Ticks: labels},
			Heat: &figure.Heat{Values: heat, Numbers: true, Min: new(0.0), Max: new(2.5)},
		}},
	})
}

// data returns 60 rows of 3 features, a target that is linear in them but for noise, and the least-squares solution: w, then b, and its loss.
func data(t *testing.T) (x, y *mat.Dense, best *mat.Dense, least float64) {
	t.Helper()
	const rows, features = 60, 3
	rng := check.Rand(t)
	x, y = normal(rng, rows, features), mat.NewDense(rows, 1, nil)
	y.Apply(func(i, _ int, _ float64) float64 {
		return 2*x.At(i, 0) - 3*x.At(i, 1) + 0.5*x.At(i, 2) + 1 + 0.5*rng.NormFloat64()
	}, y)
	ones := mat.NewDense(rows, 1, nil)
	ones.Apply(func(_, _ int, _ float64) float64 { return 1 }, ones)
	var design, residual mat.Dense
	design.Augment(x, ones)
	best = new(mat.Dense)
	require.NoError(t, best.Solve(&design, y)) // by QR
	residual.Mul(&design, best)
	residual.Sub(&residual, y)
	norm := mat.Norm(&residual, 2)
	return x, y, best, norm * norm / rows
}

// TestWhyTraining trains linear regression by nothing but runs of one graph.
func TestWhyTraining(t *testing.T) {
	defer check.Rescue(t)
	const steps = 120
	x, y, best, least := data(t)
	r := newRegression(t, 3, 0.2)
	s := session.NewSession(r.g)
	s.Init()
	var at, losses, distances, floor []float64
	for step := range steps {
		got, err := s.Run(nodes{r.loss, r.w, r.b, r.trainW, r.trainB}, feeds{r.x: x, r.y: y})
		require.NoError(t, err)
		var theta, off mat.Dense
		theta.Stack(got[1], got[2])
		off.Sub(&theta, best)
		at, losses, floor = append(at, float64(step)), append(losses, got[0].At(0, 0)), append(floor, least)
		distances = append(distances, mat.Norm(&off, 2))
	}
	last := steps - 1
	t.Logf("loss %.4f at the first step, %.6f at the last; least squares: %.6f", losses[0], losses[last], least)
	t.Logf("distance from the least-squares solution: %.3f at the first step, %.1e at the last", distances[0], distances[last])
	require.InDelta(t, mat.Dot(mat.VecDenseCopyOf(y.ColView(0)), y.ColView(0))/60, losses[0], 1e-9, "the first loss is that of w = 0, b = 0: a fetched loss is of the start of the run")
	for step := range last {
		require.LessOrEqual(t, losses[step+1], losses[step]*(1+1e-12), "the loss rose at step %d", step)
	}
	// Over 25 seeds 5e-16 to 3e-14.
	require.Less(t, distances[last], 1e-6, "w and b after %d steps, against the least-squares solution", steps)
	figure.Save(t, "training", figure.Figure{
		Title:   "The graph trains itself: each step is one run",
		Caption: "Linear regression, 60 rows, 3 features, gradient descent with rate 0.2. Each run fetches the loss and both assigns. Rounding ends the right curve.",
		Panels: []figure.Panel{
			{
				Title: "loss", X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "mean squared error", Log: true},
				Series: []figure.Series{{Name: "your session", X: at[:41], Y: losses[:41]}, {Name: "least squares", X: at[:41], Y: floor[:41], Mark: figure.Dashed}},
			},
			{
				Title: "distance from the least-squares solution", X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "distance of (w, b)", Log: true},
				Series: []figure.Series{{X: at, Y: distances}},
			},
		},
	})
}

// TestWhyLoss runs the same loss with and without the assigns.
func TestWhyLoss(t *testing.T) {
	defer check.Rescue(t)
	const runs = 20
	x, y, _, least := data(t)
	r := newRegression(t, 3, 0.1)
	panel := figure.Panel{X: figure.Axis{Label: "run"}, Y: figure.Axis{Label: "fetched loss"}}
	for _, c := range []struct {
		name    string
		fetches nodes
		trains  bool
	}{
		{"[loss]", nodes{r.loss}, false},
		{"[loss, ∂loss/∂w, ∂loss/∂b]", nodes{r.loss, r.gradW, r.gradB}, false},
		{"[loss, assign w, assign b]", nodes{r.loss, r.trainW, r.trainB}, true},
	} {
		s := session.NewSession(r.g)
		s.Init()
		series := figure.Series{Name: "Run(" + c.name + ")", Mark: figure.LinePoints}
		for k := range runs {
			got, err := s.Run(c.fetches, feeds{r.x: x, r.y: y})
			require.NoError(t, err)
			series.X, series.Y = append(series.X, float64(k+1)), append(series.Y, got[0].At(0, 0))
		}
		got, err := s.Run(nodes{r.w}, nil)
		require.NoError(t, err)
		first, last := series.Y[0], series.Y[runs-1]
		t.Logf("%d runs of %s: loss %.4f in the first, %.4f in the last; |w| = %.3f after them", runs, c.name, first, last, mat.Norm(got[0], 2))
		if c.trains {
			// Over 25 seeds 0.009 to 0.036 of the first.
			require.Less(t, last, first/4, "the loss after %d runs with the assigns", runs)
			panel.Series = append(panel.Series, series)
			continue
		}
		for _, loss := range series.Y {
			check.Equal(t, "the loss in a run of "+c.name, loss, first, check.Exact, check.Why("no assign was fetched, so no variable changes"))
		}
		check.Equal(t, "w after the runs of "+c.name, got[0], mat.NewDense(3, 1, nil), check.Exact)
		if len(panel.Series) > 0 {
			series.Mark = figure.Points
		}
		panel.Series = append(panel.Series, series)
	}
	t.Logf("least squares: %.4f", least)
	figure.Save(t, "loss", figure.Figure{
		Title:   "Fetching the loss trains nothing; fetching the assigns does",
		Caption: "Three sessions of one graph, 20 runs each on the same 60 rows. The two upper curves coincide: gradients that are fetched change no variable.",
		Panels:  []figure.Panel{panel},
	})
}
