package pooling_test

import (
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	"whyhow/katas/kit/tensor"
	pooling "whyhow/katas/q02-pooling"
)

func TestWhyShift(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)

	// On a circle, a shift by the stride goes through pooling; a shift by one does not.
	circle := []float64{0, 3, 1, 5, 2, 4, 9, 7}
	for _, c := range []struct {
		by   int
		want []float64
	}{{0, []float64{3, 5, 4, 9}}, {1, []float64{7, 3, 5, 9}}, {2, []float64{9, 3, 5, 4}}} {
		row := rolled(circle, c.by)
		got := pooling.Max(tensor.NewCHW(1, 2, 8, append(rolled(circle, c.by), row...)), 2, 2)
		check.Equal(t, fmt.Sprintf("Max of two rows %v (rolled by %d), 2, 2", row, c.by), got.Data, c.want, check.Exact)
	}
	for range 20 {
		values := normal(1, 1, 12, rng).Data
		whole := pooling.Max(tensor.NewCHW(1, 3, 12, append(append(rolled(values, 0), values...), values...)), 3, 3).Data
		for by := 3; by < 12; by += 3 {
			row := rolled(values, by)
			got := pooling.Max(tensor.NewCHW(1, 3, 12, append(append(rolled(row, 0), row...), row...)), 3, 3).Data
			check.Equal(t, fmt.Sprintf("3×3 max pooling of a row rolled by %d", by), got, rolled(whole, by/3), check.Exact)
		}
	}

	all := digits.All()
	order := rng.Perm(all.Len())
	train, test := all.Rows(order[:500]), all.Rows(order[500:700])
	fig := figure.Figure{
		Title: "Pooling takes a third off what a shift by one column changes. That alone is no merit",
		Caption: "Handwritten digits of 8×8 pixels, shifted to the right. Left: how far the features move, relative to their length. " +
			"Right: a nearest neighbour among 500 images names 200 others, not shifted. The global average moves least and knows next to nothing.",
		Panels: []figure.Panel{
			{
				X: figure.Axis{Label: "shift in columns", Ticks: []string{"0", "1", "2", "3"}}, Y: figure.Axis{Label: "relative distance", Min: new(0.0)},
				Title: "What a shift does to the features",
			},
			{Y: figure.Axis{Label: "accuracy of 1-NN", Min: new(0.0), Max: new(1.0)}, Title: "What the features still know"},
		},
	}
	moved, knows := map[string]float64{}, map[string]float64{}
	for _, f := range []feature{
		{"raw", func(x tensor.CHW) []float64 { return x.Data }},
		{"average 2×2", func(x tensor.CHW) []float64 { return pooling.Average(x, 2, 2).Data }},
		{"max 2×2", func(x tensor.CHW) []float64 { return pooling.Max(x, 2, 2).Data }},
		{"global", pooling.GlobalAverage},
	} {
		var columns, distances []float64
		for by := range 4 {
			columns, distances = append(columns, float64(by)), append(distances, f.moves(test, by))
		}
		moved[f.name], knows[f.name] = distances[1], f.nearest(train, test)
		t.Logf("%-12s relative distance after 1, 2, 3 columns %.2f; accuracy of the nearest neighbour %.3f", f.name, distances[1:], knows[f.name])
		fig.Panels[0].Series = append(fig.Panels[0].Series, figure.Series{Name: f.name, X: columns, Y: distances, Mark: figure.LinePoints})
		fig.Panels[1].Bars = append(fig.Panels[1].Bars, figure.Bar{Label: f.name, Value: knows[f.name]})
	}
	// Ranges over 30 seeds. Distance after one column: raw .81–.83, average .57–.59, max .52–.56, so raw is 1.39–1.44 times average and
	// 1.48–1.58 times max; global at most .01. Accuracy: raw .95–1, max .735–.85, global .095–.19; average, .865–.94, is too near raw to claim anything.
	require.Greater(t, moved["raw"], 1.3*moved["average 2×2"], "a shift by one column must move raw pixels more than average pooled ones")
	require.Greater(t, moved["raw"], 1.3*moved["max 2×2"], "a shift by one column must move raw pixels more than max pooled ones")
	require.Less(t, moved["global"], 0.1, "a shift by one column must hardly move the global average")
	require.Greater(t, knows["raw"], 0.9, "the nearest neighbour must do well on raw pixels")
	require.Less(t, knows["max 2×2"], 0.9, "max pooling must cost the nearest neighbour some accuracy")
	require.Less(t, knows["global"], 0.4, "the global average must know next to nothing, though it moves least")
	figure.Save(t, "shift", fig)
}

func TestWhyWeights(t *testing.T) {
	defer check.Rescue(t)
	var bars []figure.Bar
	for pools, want := range []int{105226698752, 26306674688, 6576668672, 1644167168, 411041792, 102760448} {
		got := pooling.FirstDenseWeights(224, 224, 512, pools, 4096)
		check.Equal(t, fmt.Sprintf("FirstDenseWeights(224, 224, 512, %d, 4096)", pools), got, want, check.Exact)
		t.Logf("poolings: %d; %d×%d pixels left, %d weights in the first dense layer", pools, 224>>pools, 224>>pools, got)
		bars = append(bars, figure.Bar{Label: strconv.Itoa(pools), Value: float64(got)})
	}
	figure.Save(t, "weights", figure.Figure{
		Title:   "VGG-16's first dense layer has 103 million weights behind five poolings, 105 billion behind none",
		Caption: "224×224 pixels, 512 channels, 4,096 units. Every 2×2 pooling takes three quarters of the weights away; so would a stride.",
		Panels:  []figure.Panel{{X: figure.Axis{Label: "2×2 poolings before the layer"}, Y: figure.Axis{Label: "weights", Log: true}, Bars: bars}},
	})
}

func TestWhyLearned(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	const channels, steps = 2, 80
	average := imitate(func(x tensor.CHW) tensor.CHW { return pooling.Average(x, 2, 2) }, channels, steps, rng)
	largest := imitate(func(x tensor.CHW) tensor.CHW { return pooling.Max(x, 2, 2) }, channels, steps, rng)
	kernel := pooling.AverageKernel(channels, 2)
	check.Equal(t, "the kernel that learned average pooling", average.w, kernel, check.Abs(1e-6),
		check.Why("average pooling is a convolution, AverageKernel, and gradient descent finds it"))
	t.Logf("unexplained share of the variance: average %.2g, max %.3f", average.left(), largest.left())
	// Ranges over 30 seeds: average at most 2e-14, max .485–.533. In theory 1 − ¼/.4917 = .492: each of four normal values has the
	// covariance ¼, its chance to be the largest, with the maximum, whose variance is .4917.
	require.Less(t, average.left(), 1e-9, "a convolution must learn average pooling")
	require.Greater(t, largest.left(), 0.4, "no convolution, with or without bias, is max pooling")

	step := make([]float64, steps)
	for i := range step {
		step[i] = float64(i)
	}
	// A kernel of two channels as one 4×4 table: a 2×2 block for each pair of channels.
	table := func(w tensor.OIHW) *figure.Heat {
		values := make([][]float64, 4)
		for i := range 16 {
			v := w.At(i/8, i%4/2, i/4%2, i%2)
			values[i/4] = append(values[i/4], math.Round(v*1000)/1000+0) // +0 turns −0 into 0
		}
		return &figure.Heat{Values: values, Numbers: true, Diverging: true}
	}
	taps := []string{"0:0", "0:1", "1:0", "1:1"}
	in, out := figure.Axis{Label: "input channel : column", Ticks: taps}, figure.Axis{Label: "output channel : row", Ticks: taps}
	figure.Save(t, "learned", figure.Figure{
		Title: "A stride-2 convolution learns average pooling exactly, max pooling never",
		Caption: "Kernels 2×2, two channels, a bias, from random weights, on random windows. " +
			"What it learns of average pooling is 1/4 within a channel and 0 between channels. Of the maximum, half the variance stays unexplained.",
		Panels: []figure.Panel{
			{
				Title: "Error on fresh windows", X: figure.Axis{Label: "step"}, Y: figure.Axis{Label: "unexplained variance", Log: true},
				Series: []figure.Series{{Name: "average", X: step, Y: average.errors}, {Name: "max", X: step, Y: largest.errors}},
			},
			{Title: "Learned from average pooling", X: in, Y: out, Heat: table(average.w)},
			{Title: "Learned from max pooling", X: in, Y: out, Heat: table(largest.w)},
		},
	})
}

func TestWhyLost(t *testing.T) {
	defer check.Rescue(t)
	a, b := pooling.Confusable()
	after := pooling.Max(a, 2, 2)
	check.Equal(t, "Max(a, 2, 2)", after, pooling.Max(b, 2, 2), check.Exact, check.Why("whatever comes after the pooling cannot tell a from b"))
	panel := func(title string, x tensor.CHW) figure.Panel {
		var rows [][]float64
		for i := range x.H {
			rows = append(rows, x.Data[i*x.W:(i+1)*x.W])
		}
		low, high := floats.Min(append(a.Data, b.Data...)), floats.Max(append(a.Data, b.Data...))
		return figure.Panel{
			Title: title, X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"},
			Heat: &figure.Heat{Values: rows, Numbers: true, Min: &low, Max: &high},
		}
	}
	figure.Save(t, "lost", figure.Figure{
		Title:   "Two different images, one map: where in its window a value was is lost",
		Caption: "The pair is your own Confusable. No layer after the pooling can tell the two apart.",
		Panels:  []figure.Panel{panel("a", a), panel("b", b), panel("either, max pooled 2×2", after)},
	})

	// One bright pixel in sixteen places.
	for _, p := range []struct {
		name string
		pool func(x tensor.CHW, size, stride int) tensor.CHW
	}{{"Max", pooling.Max}, {"Average", pooling.Average}} {
		maps := map[string]bool{}
		for i := range 16 {
			x := tensor.NewCHW(1, 4, 4, nil)
			x.Data[i] = 1
			maps[fmt.Sprint(p.pool(x, 2, 2).Data)] = true
		}
		check.Equal(t, fmt.Sprintf("different maps that %s(…, 2, 2) makes of one bright pixel in 16 places", p.name), len(maps), 4, check.Exact)
	}
	// And where the gradient goes.
	rng := check.Rand(t)
	x, dy := normal(1, 8, 8, rng), normal(1, 4, 4, rng)
	reached := func(dx tensor.CHW) int { return floats.Count(func(g float64) bool { return g != 0 }, dx.Data) }
	byMax, byAverage := reached(pooling.MaxBackward(x, dy, 2, 2)), reached(pooling.AverageBackward(x, dy, 2, 2))
	check.Equal(t, "pixels of an 8×8 map that MaxBackward reaches", byMax, 16, check.Exact)
	check.Equal(t, "pixels of an 8×8 map that AverageBackward reaches", byAverage, 64, check.Exact)
	t.Logf("of 16 places of one bright pixel 4 stay different; the gradient reaches %d of 64 pixels through max, %d through average pooling", byMax, byAverage)
}
