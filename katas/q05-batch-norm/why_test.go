package batchnorm_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	batchnorm "whyhow/katas/q05-batch-norm"
)

// TestWhyGradients measures ‖∂L/∂z‖ of every hidden layer at initialisation, on one batch of 64 digits. Ratios are taken from the second
// layer on: with batch norm the gradient of the first has a factor 1/σ of the raw pixels in it, so it depends on their unit.
func TestWhyGradients(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	batch, _ := digits.Split(64, rng)
	draw := func(hidden int, gain float64, f activation, title string) (panel figure.Panel, without, with float64) {
		seed := rng.Uint64()
		panel = figure.Panel{Title: title, X: figure.Axis{Label: "hidden layer, 1 next to the input"}, Y: figure.Axis{Label: "‖∂L/∂z‖", Log: true}}
		decades := map[bool]float64{}
		spread := map[bool]float64{}
		ratio := func(size []float64) float64 { return math.Log10(size[1] / size[hidden-1]) }
		for _, norm := range []bool{false, true} {
			n := newNetwork(hidden, gain, f, norm, seeded(seed))
			n.forward(batch.X, true)
			size := n.descend(batch.Labels, 0)
			decades[norm] = ratio(size)
			if norm { // over 200 seeds the two differ by 0.074 at most; from the first layer on it would be log₁₀ 16 = 1.2
				n.forward(larger(16, batch.X), true)
				again := ratio(n.descend(batch.Labels, 0))
				t.Logf("%s with batch norm, pixels 16 times as large: 10^%.3f for 10^%.3f", title, again, decades[norm])
				require.InDelta(t, decades[norm], again, 0.3, "the first batch norm takes the unit of the pixels out, but for eps")
			}
			_, variance := batchnorm.Stats(mat.DenseCopyOf(n.layers[hidden-1].z))
			spread[norm] = math.Sqrt(stat.Mean(variance, nil))
			panel.Series = append(panel.Series, figure.Series{
				Name: map[bool]string{false: "without batch norm", true: "with batch norm"}[norm],
				X:    count(1, hidden), Y: size, Mark: figure.LinePoints,
			})
		}
		t.Logf("%s: ‖∂L/∂z‖, second layer over last: 10^%.2f without batch norm, 10^%.2f with", title, decades[false], decades[true])
		t.Logf("%s: spread of z over the batch, last layer: %.2g without batch norm, %.2g with", title, spread[false], spread[true])
		return panel, decades[false], decades[true]
	}
	left, without, with := draw(10, 1, sigmoid, "10 sigmoid layers")
	right, reluWithout, reluWith := draw(20, 2, relu, "20 ReLU layers")
	figure.Save(t, "gradients", figure.Figure{
		Title:   "Batch norm keeps the gradient of sigmoid layers, and makes it explode in ReLU layers",
		Caption: "Before training. Layers of 16 units, one batch of 64 digits. Read from right to left: the gradient travels from the last layer to the first.",
		Panels:  []figure.Panel{left, right},
	})
	// Over 200 seeds: sigmoid [−5.41, −4.68] without, [−0.08, 0.46] with; ReLU [−1.49, 0.87] without, [1.32, 2.11] with.
	require.Less(t, without, -2.5, "without batch norm the gradient of sigmoid layers vanishes")
	require.Greater(t, with, -2.5, "with batch norm it does not")
	require.Less(t, reluWithout, 1.1, "without batch norm the gradient of ReLU layers keeps its size")
	require.Greater(t, reluWith, 1.1, "with batch norm it explodes backwards")
	anyScale(t, batch.X)
}

// anyScale shows that batch norm makes the scale of the weights before it irrelevant: BN(x·aW) = BN(x·W), so ∂L/∂(aW) = (1/a)·∂L/∂W, and
// ∂L/∂W is orthogonal to W, unit by unit. With eps = 0 this is exact; the default makes a difference where a·σ comes near √eps.
func anyScale(t *testing.T, x *mat.Dense) {
	t.Helper()
	rng := check.Rand(t)
	rows, in := x.Dims()
	normal := func(rows, columns int, std float64) *mat.Dense {
		m := mat.NewDense(rows, columns, nil)
		m.Apply(func(_, _ int, _ float64) float64 { return std * rng.NormFloat64() }, m)
		return m
	}
	w, dy := normal(in, width, 1/math.Sqrt(float64(in))), normal(rows, width, 1)
	through := func(a, eps float64) (y, dw *mat.Dense) {
		l := batchnorm.New(width)
		l.Eps = eps
		var z, g mat.Dense
		z.Mul(x, larger(a, w))
		y = l.Train(mat.DenseCopyOf(&z))
		dz, _, _ := l.Backward(mat.DenseCopyOf(&z), mat.DenseCopyOf(dy))
		g.Mul(x.T(), dz)
		return y, &g
	}
	y, dw := through(1, 0)
	var scales, sizes, inverse []float64
	for _, a := range []float64{0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100} {
		same, smaller := through(a, 0)
		check.Equal(t, "Train(x·aW) with eps = 0", same, y, check.Abs(1e-9), check.Why("μ and σ grow with a, and cancel it"), check.With("a", a))
		check.Equal(t, "a·∂L/∂(aW) with eps = 0", larger(a, smaller), dw, check.Abs(1e-8), check.Why("the output does not depend on a, and aW is a times as far from 0"), check.With("a", a))
		_, got := through(a, batchnorm.New(1).Eps)
		scales, sizes, inverse = append(scales, a), append(sizes, mat.Norm(got, 2)), append(inverse, mat.Norm(dw, 2)/a)
	}
	along := 0.0
	for j := range width {
		u, v := mat.Col(nil, j, w), mat.Col(nil, j, dw)
		along = max(along, math.Abs(floats.Dot(u, v))/(floats.Norm(u, 2)*floats.Norm(v, 2)))
	}
	t.Logf("weights 100 times as large: ‖∂L/∂W‖ falls from %.3g to %.3g; weights a hundredth: it rises to %.3g, with eps = 0 to %.3g",
		sizes[4], sizes[8], sizes[0], inverse[0])
	t.Logf("largest cosine between a unit's weights and their gradient: %.1e", along)
	check.Equal(t, "cosine between a unit's weights and their gradient", along, 0.0, check.Abs(1e-10), check.Why("a step along W changes no output"))
	figure.Save(t, "scale", figure.Figure{
		Title:   "Behind batch norm, weights a times as large get a gradient 1/a as large",
		Caption: "64 digits, one dense layer of 16 units and batch norm, one fixed ∂L/∂y. The output is the same for every a. On the left a·σ comes near √eps.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "a, the factor on the weights", Log: true}, Y: figure.Axis{Label: "‖∂L/∂(aW)‖", Log: true},
			Series: []figure.Series{
				{Name: "‖∂L/∂W‖/a, eps = 0", X: scales, Y: inverse, Mark: figure.Dashed},
				{Name: "eps = 1e-5, the default", X: scales, Y: sizes, Mark: figure.Points},
			},
		}},
	})
}

// TestWhyTraining trains 6 hidden sigmoid layers of 16 on 300 digits: batch 30, rate 0.5, 10 epochs, weights N(0, 1/fan-in).
// Then it folds batch norm away.
func TestWhyTraining(t *testing.T) {
	defer check.Rescue(t)
	const hidden, epochs = 6, 10
	rng := check.Rand(t)
	train, val := digits.Split(300, rng)
	seed := rng.Uint64()
	plain, normed := newNetwork(hidden, 1, sigmoid, false, seeded(seed)), newNetwork(hidden, 1, sigmoid, true, seeded(seed))
	var without, with, onBatch []float64
	shuffle, again := seeded(1), seeded(1)
	for epoch := range epochs + 1 {
		if epoch > 0 {
			plain.fit(train, 30, 1, 0.5, shuffle)
			normed.fit(train, 30, 1, 0.5, again)
		}
		without = append(without, accuracy(plain.forward(val.X, false), val.Labels))
		with = append(with, accuracy(normed.forward(val.X, false), val.Labels))
		onBatch = append(onBatch, accuracy(normed.forwardOnBatch(val.X), val.Labels))
	}
	figure.Save(t, "training", figure.Figure{
		Title:   "Six sigmoid layers learn digits with batch norm, and nothing without it",
		Caption: "300 digits to train, 500 to validate, rate 0.5; guessing gives 0.1. At first the running statistics lag behind the weights.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "epochs"}, Y: figure.Axis{Label: "validation accuracy", Min: new(0.0), Max: new(1.0)},
			Series: []figure.Series{
				{Name: "without batch norm", X: count(0, epochs), Y: without, Mark: figure.LinePoints},
				{Name: "with batch norm (Infer)", X: count(0, epochs), Y: with, Mark: figure.LinePoints},
				{Name: "the same, validated with batch statistics", X: count(0, epochs), Y: onBatch, Mark: figure.Dashed},
			},
		}},
	})
	t.Logf("validation accuracy after %d epochs: %.3f without batch norm, %.3f with", epochs, without[epochs], with[epochs])
	best := 0.0
	for _, rate := range []float64{0.05, 2, 20} {
		other := newNetwork(hidden, 1, sigmoid, false, seeded(seed))
		other.fit(train, 30, epochs, rate, seeded(1))
		best = max(best, accuracy(other.forward(val.X, false), val.Labels))
	}
	t.Logf("the best of the rates 0.05, 2 and 20 without batch norm: %.3f", best)
	// Over 200 seeds: [0.070, 0.122] without, [0.078, 0.128] at the best of the other rates, [0.578, 0.912] with.
	require.Less(t, best, 0.4, "nor does it at another rate")
	require.Less(t, without[epochs], 0.4, "without batch norm the network does not learn")
	require.Greater(t, with[epochs], 0.4, "with batch norm it does")

	want := normed.forward(val.X, false)
	for _, l := range normed.layers[:hidden] {
		l.w, l.b = batchnorm.Fold(l.w, l.b, l.norm)
		l.norm = nil
	}
	got := normed.forward(val.X, false)
	var difference mat.Dense
	difference.Sub(got, want)
	t.Logf("largest change of a logit when batch norm is folded away: %.1e", max(mat.Max(&difference), -mat.Min(&difference)))
	check.Equal(t, "logits of the folded network", got, want, check.Abs(1e-9),
		check.Why("at inference batch norm is an affine map, and the dense layer before it can do its work"))
}

// TestWhyOutlier shows what batch norm does to one outlier, and to a batch of two or one.
func TestWhyOutlier(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	normalise := func(values ...float64) []float64 {
		return mat.Col(nil, 0, batchnorm.New(1).Train(mat.NewDense(len(values), 1, values)))
	}
	const rows = 32
	values := make([]float64, rows)
	for i := range values {
		values[i] = rng.NormFloat64()
	}
	calm := normalise(values...)
	values[rows-1] = 1e9
	hit := normalise(values...)
	t.Logf("a batch of %d with one value of 1e9: it becomes %.4f, the others %.4f to %.4f", rows, hit[rows-1], hit[0], hit[rows-2])
	check.Equal(t, "the outlier after Train", hit[rows-1], math.Sqrt(rows-1), check.Abs(1e-6),
		check.Why("no value of a batch of m can lie more than √(m−1) standard deviations from its mean"))
	for i := range rows - 1 {
		check.Equal(t, "another value after Train", hit[i], -1/math.Sqrt(rows-1), check.Abs(1e-6),
			check.Why("the outlier sets μ and σ, and the other values fall together"))
	}

	var sizes, largest, bound []float64
	for m := 2; m <= 256; m *= 2 {
		batch := make([]float64, m)
		batch[0] = 1e9
		sizes, largest, bound = append(sizes, float64(m)), append(largest, normalise(batch...)[0]), append(bound, math.Sqrt(float64(m-1)))
	}
	check.Equal(t, "one outlier of 1e9 in batches of 2, 4, … 256", largest, bound, check.Rel(1e-6),
		check.Why("the bound √(m−1) is reached when all other values are equal"))
	figure.Save(t, "outlier", figure.Figure{
		Title:   "Batch norm does not remove an outlier: it flattens the others",
		Caption: "Left: the same 31 values, with an ordinary 32nd value and with 1e9. Right: an outlier comes out as √(m−1), whatever its size.",
		Panels: []figure.Panel{
			{
				Title: "a batch of 32", X: figure.Axis{Label: "row"}, Y: figure.Axis{Label: "normalised value"},
				Series: []figure.Series{
					{Name: "32 ordinary values", X: count(1, rows), Y: calm, Mark: figure.Points},
					{Name: "row 32 is 1e9", X: count(1, rows), Y: hit, Mark: figure.Points},
				},
			},
			{
				Title: "the largest normalised value a batch can have", X: figure.Axis{Label: "batch size m", Log: true}, Y: figure.Axis{Label: "normalised outlier", Log: true},
				Series: []figure.Series{
					{Name: "your Train", X: sizes, Y: largest, Mark: figure.Points},
					{Name: "√(m−1)", X: sizes, Y: bound, Mark: figure.Dashed},
				},
			},
		},
	})

	far, near := normalise(3, 7), normalise(3, 3.001)
	mean, variance := batchnorm.Stats(mat.NewDense(1, 1, []float64{3}))
	t.Logf("a batch of two: 3 and 7 become %.8f and %.8f, 3 and 3.001 become %.3f and %.3f; a batch of one has mean %g, variance %g",
		far[0], far[1], near[0], near[1], mean[0], variance[0])
	// Two values at distance d become ∓(d/2)/√(d²/4 + eps).
	check.Equal(t, "Train of 3 and 7", far, []float64{-2 / math.Sqrt(4+1e-5), 2 / math.Sqrt(4+1e-5)}, check.Rel(1e-9),
		check.Why("of two values batch norm keeps which is larger, and no more"))
	check.Equal(t, "Train of 3 and 3.001", near, []float64{-0.0005 / math.Sqrt(0.0005*0.0005+1e-5), 0.0005 / math.Sqrt(0.0005*0.0005+1e-5)}, check.Rel(1e-9),
		check.Why("below √eps, 0.003, eps decides"))
	check.Equal(t, "Stats of one row", []float64{mean[0], variance[0]}, []float64{3, 0}, check.Abs(1e-12),
		check.Why("x − μ would be 0 whatever x is: a batch of one has nothing to say, so Train refuses it"))
}
