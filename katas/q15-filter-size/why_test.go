package filtersize_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	filtersize "whyhow/katas/q15-filter-size"
)

// Small kernels stacked are cheaper in the body of a net and dearer in its stem.
func TestWhyStack(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range []struct {
		where                        string
		field, in, channels          int
		stackedLayers, stacked, once int
	}{
		{"body", 7, 64, 64, 3, 27 * 64 * 64, 49 * 64 * 64},
		{"body", 11, 64, 64, 5, 45 * 64 * 64, 121 * 64 * 64},
		{"stem", 7, 3, 64, 3, 75_456, 9_408},
	} {
		layers, err := filtersize.LayersFor(c.field, 3)
		require.NoError(t, err)
		require.Equal(t, c.stackedLayers, layers, "3×3 layers for a field of %d", c.field)
		require.Equal(t, c.field, filtersize.StackField(3, layers), "receptive field of %d layers of 3×3", layers)
		stacked, once := filtersize.Params(3, layers, c.in, c.channels), filtersize.Params(c.field, 1, c.in, c.channels)
		require.Equal(t, []int{c.stacked, c.once}, []int{stacked, once}, "weights of the stack and of one kernel, field %d, %d to %d channels", c.field, c.in, c.channels)
		kept := filtersize.Activations(layers, 56, 56, c.channels)
		t.Logf("%s, field %d, %d to %d channels: %d layers of 3×3 have %d weights and keep %d activations of a 56×56 map, one %d×%d has %d and keeps %d",
			c.where, c.field, c.in, c.channels, layers, stacked, kept, c.field, c.field, once, filtersize.Activations(1, 56, 56, c.channels))
	}

	// A stem of three 3×3 layers with 32, 32 and 64 channels.
	require.Equal(t, 28_512, filtersize.Params(3, 2, 3, 32)+filtersize.Params(3, 1, 32, 64), "weights of a 3×3 stem with 32, 32, 64 channels")

	// For field 7 one kernel wins while 49·in < 9·in + 18·channels, that is in < 0.45·channels. In between there is no middle way: up to field 31
	// the cheapest is always 3×3 all the way or one layer.
	for in := 1; in <= 64; in++ {
		kernel, _ := filtersize.Cheapest(7, in, 64)
		want := 3
		if float64(in) < 0.45*64 {
			want = 7
		}
		require.Equal(t, want, kernel, "the cheapest kernel for field 7 and %d to 64 channels", in)
		for field := 3; field <= 31; field += 2 {
			kernel, layers := filtersize.Cheapest(field, in, 64)
			require.True(t, kernel == 3 || layers == 1, "field %d, %d to 64 channels: %d layers of %d×%d", field, in, layers, kernel, kernel)
		}
	}

	panel := func(title string, in int) figure.Panel {
		p := figure.Panel{Title: title, X: figure.Axis{Label: "receptive field, pixels"}, Y: figure.Axis{Label: "weights", Log: true}}
		for _, kernel := range []int{3, 5, 7, 0} {
			s := figure.Series{Name: fmt.Sprintf("stack of %d×%d", kernel, kernel), Mark: figure.LinePoints}
			if kernel == 0 {
				s.Name, s.Mark = "one big kernel", figure.Dashed
			}
			for field := 3; field <= 31; field += 2 {
				k, layers := kernel, 1
				if k == 0 {
					k = field
				} else if n, err := filtersize.LayersFor(field, k); err == nil {
					layers = n
				} else {
					continue
				}
				s.X, s.Y = append(s.X, float64(field)), append(s.Y, float64(filtersize.Params(k, layers, in, 64)))
			}
			p.Series = append(p.Series, s)
		}
		return p
	}
	figure.Save(t, "weights", figure.Figure{
		Title:   "Stacked 3×3 kernels save weights in the body; in the stem one big kernel does",
		Caption: "Weights of a stack that reaches the field exactly, 64 output channels, no biases. The first point of each stack is a single layer, that is one big kernel.",
		Panels:  []figure.Panel{panel("body: 64 to 64 channels", 64), panel("stem: 3 to 64 channels", 3)},
	})
}

// correlate slides k over x, without padding.
func correlate(x, k mat.Matrix) *mat.Dense {
	h, w := x.Dims()
	r, c := k.Dims()
	y := mat.NewDense(h-r+1, w-c+1, nil)
	y.Apply(func(i, j int, _ float64) float64 {
		sum := 0.0
		for a := range r {
			for b := range c {
				sum += k.At(a, b) * x.At(i+a, j+b)
			}
		}
		return sum
	}, y)
	return y
}

// Three linear 3×3 layers are one 7×7 layer. With ReLU between them they are not: a linear layer gives f(−x) = −f(x), they do not. Measured over 30
// seeds: the least ‖f(x)+f(−x)‖/‖f(x)‖ of 20 digits is 0.27 to 1.00 with ReLU, and the largest without is 0; the thresholds are 0.01 and 1e-13.
func TestWhyCompose(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	kernel := func() *mat.Dense {
		k := mat.NewDense(3, 3, nil)
		k.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, k)
		return k
	}
	set := digits.All()
	worst, odd, least := 0.0, 0.0, math.Inf(1)
	for range 20 {
		a, b, c := kernel(), kernel(), kernel()
		seven := filtersize.Compose(filtersize.Compose(a, b), c)
		rows, columns := seven.Dims()
		require.Equal(t, []int{7, 7}, []int{rows, columns}, "three 3×3 kernels composed")
		x := mat.NewDense(8, 8, set.X.RawRowView(rng.IntN(set.Len())))
		relu := func(on bool, m *mat.Dense) *mat.Dense {
			if on {
				m.Apply(func(_, _ int, v float64) float64 { return max(v, 0) }, m)
			}
			return m
		}
		stack := func(x mat.Matrix, on bool) *mat.Dense {
			return correlate(relu(on, correlate(relu(on, correlate(x, a)), b)), c)
		}
		asymmetry := func(on bool) float64 {
			var minus, sum mat.Dense
			minus.Scale(-1, x)
			y := stack(x, on)
			sum.Add(y, stack(&minus, on))
			return mat.Norm(&sum, 2) / mat.Norm(y, 2)
		}
		var difference mat.Dense
		linear := stack(x, false)
		difference.Sub(linear, correlate(x, seven))
		worst = max(worst, mat.Norm(&difference, 2)/mat.Norm(linear, 2))
		odd = max(odd, asymmetry(false))
		if y := stack(x, true); mat.Norm(y, 2) > 0 {
			least = min(least, asymmetry(true))
		}
	}
	require.Less(t, worst, 1e-13, "relative difference between three linear 3×3 layers and the composed 7×7")
	require.Less(t, odd, 1e-13, "‖f(x)+f(−x)‖/‖f(x)‖ without ReLU")
	require.Greater(t, least, 0.01, "‖f(x)+f(−x)‖/‖f(x)‖ with ReLU")
	t.Logf("three linear 3×3 layers and your 7×7 differ by %.1g at most on 20 digits; with ReLU between, f(−x) misses −f(x) by %.3g of ‖f(x)‖ at least", worst, least)
}

// A Gaussian separates, a corner does not; how many terms a kernel needs decides what it costs.
func TestWhyRank(t *testing.T) {
	defer check.Rescue(t)
	gaussian, corner := mat.NewDense(8, 8, nil), mat.NewDense(8, 8, nil)
	gaussian.Apply(func(i, j int, _ float64) float64 {
		y, x := float64(i)-3.5, float64(j)-3.5
		return math.Exp(-(x*x + y*y) / 8)
	}, gaussian)
	corner.Apply(func(i, j int, _ float64) float64 {
		if i >= 4 && j >= 4 {
			return 3
		}
		return -1 // the mean is 0
	}, corner)
	zeros := digits.All().Only(0)
	mean := mat.NewDense(8, 8, nil)
	for i := range zeros.Len() {
		mean.Add(mean, mat.NewDense(8, 8, zeros.X.RawRowView(i)))
	}
	mean.Scale(1/float64(zeros.Len()), mean)

	_, err := filtersize.Separate(gaussian)
	require.NoError(t, err, "Separate of a Gaussian")
	_, err = filtersize.Separate(corner)
	require.Error(t, err, "Separate of a corner")

	type shape struct {
		name   string
		k      *mat.Dense
		errors []float64
	}
	shapes := []shape{{"Gaussian", gaussian, nil}, {"corner", corner, nil}, {"mean image of a 0", mean, nil}}
	const exact = 1e-12 // what is left after it is rounding
	panel := figure.Panel{X: figure.Axis{Label: "multiplications an output"}, Y: figure.Axis{Label: "relative error", Log: true}}
	for i := range shapes {
		s := &shapes[i]
		series := figure.Series{Name: s.name, Mark: figure.LinePoints}
		for terms := 0; terms <= 4; terms++ {
			var rest mat.Dense
			rest.Sub(s.k, outer(t, 8, 8, filtersize.LowRank(s.k, terms)...))
			s.errors = append(s.errors, mat.Norm(&rest, 2)/mat.Norm(s.k, 2))
			if terms == 0 || s.errors[terms-1] > exact {
				series.X, series.Y = append(series.X, float64(16*terms)), append(series.Y, max(s.errors[terms], 1e-16))
			}
		}
		panel.Series = append(panel.Series, series)
		t.Logf("%s: relative error %.3g with 1 term (16 multiplications for 64), %.3g with 2 (32)", s.name, s.errors[1], s.errors[2])
	}
	require.Less(t, shapes[0].errors[1], exact, "relative error of a Gaussian with one term")
	require.InDelta(t, 0.357, shapes[1].errors[1], 0.001, "relative error of a corner with one term")
	require.Less(t, shapes[1].errors[2], exact, "relative error of a corner with two terms")
	require.InDelta(t, 0.446, shapes[2].errors[1], 0.001, "relative error of the mean image of a 0 with one term")
	require.InDelta(t, 0.108, shapes[2].errors[2], 0.001, "relative error of the mean image of a 0 with two terms")
	panel.Series = append(panel.Series, figure.Series{Name: "full kernel", Mark: figure.Dashed, X: []float64{64, 64}, Y: []float64{1e-16, 1}})
	figure.Save(t, "rank", figure.Figure{
		Title:   "As a sum of separable kernels a Gaussian costs a quarter of the full kernel, a corner half; a 0 saves nothing",
		Caption: "8×8 kernels; each separable term takes 8 + 8 multiplications an output, the full kernel 64, at no error. Error: ‖k − sum‖ / ‖k‖; a line ends where only rounding is left.",
		Panels:  []figure.Panel{panel},
	})
}
