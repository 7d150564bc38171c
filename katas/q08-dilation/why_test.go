package dilation_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	"whyhow/katas/kit/tensor"
	dilation "whyhow/katas/q08-dilation"
)

// ones is a kernel of ones, one channel to one.
func ones(k int) tensor.OIHW {
	w := tensor.NewOIHW(1, 1, k, k, nil)
	for i := range w.Data {
		w.Data[i] = 1
	}
	return w
}

// reads returns which input pixels the one output of a stack of 3×3 layers depends on, found by the learner's backward pass on an
// image as large as the field.
func reads(t *testing.T, dilations []int) [][]float64 {
	t.Helper()
	field := dilation.Field(3, dilations)
	maps := []tensor.CHW{tensor.NewCHW(1, field, field, nil)}
	for _, d := range dilations {
		maps = append(maps, dilation.Conv2D(maps[len(maps)-1], ones(3), d))
	}
	g := maps[len(maps)-1]
	require.Equal(t, []int{1, 1, 1}, []int{g.C, g.H, g.W}, "the output of a stack on an image as large as its field")
	g.Set(0, 0, 0, 1)
	for i := len(dilations) - 1; i >= 0; i-- {
		g, _ = dilation.Conv2DBackward(maps[i], g, ones(3), dilations[i])
	}
	rows := make([][]float64, field)
	for i := range rows {
		rows[i] = make([]float64, field)
		for j := range rows[i] {
			if g.At(0, i, j) != 0 {
				rows[i][j] = 1
			}
		}
	}
	return rows
}

// The same number of weights sees more: with dilations 1, 2, 4, 8 each layer takes a field of r to 2r + 1, with plain layers it grows by two.
func TestWhyGrowth(t *testing.T) {
	defer check.Rescue(t)
	var layers, plain, doubled []float64
	schedule := dilation.Doubling(3, 255)
	require.Equal(t, []int{1, 2, 4, 8, 16, 32, 64}, schedule, "the doubling schedule of 3-tap layers that reaches a field of 255")
	for n := 1; n <= len(schedule); n++ {
		same := make([]int, n)
		for i := range same {
			same[i] = 1
		}
		layers = append(layers, float64(n))
		plain = append(plain, float64(dilation.Field(3, same)))
		doubled = append(doubled, float64(dilation.Field(3, schedule[:n])))
	}
	require.Equal(t, []float64{3, 5, 7, 9}, plain[:4], "fields of plain layers")
	require.Equal(t, []float64{3, 7, 15, 31}, doubled[:4], "fields with dilations 1, 2, 4, 8")

	// Yu and Koltun 2016, table 1: the context module.
	var module []int
	context := []int{1, 1, 2, 4, 8, 16, 1}
	for n := range context {
		module = append(module, dilation.Field(3, context[:n+1]))
	}
	require.Equal(t, []int{3, 5, 9, 17, 33, 65, 67}, module, "fields of the context module")

	// The learner's gradient reaches exactly that far.
	rows := reads(t, []int{1, 2, 4})
	for i := range rows {
		for j := range rows {
			require.NotZero(t, rows[i][j], "the gradient at (%d, %d) of the 15×15 field of dilations 1, 2, 4", i, j)
		}
	}
	t.Logf("4 layers of 3 taps, the same 36 weights a channel pair: field %g plain, %g with dilations 1, 2, 4, 8; the context module reaches %d", plain[3], doubled[3], module[6])
	figure.Save(t, "field", figure.Figure{
		Title:   "Same weights, same number of layers: dilation more than doubles the field with each layer",
		Caption: "Stacks of 3×3 convolutions with stride 1.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "layers"}, Y: figure.Axis{Label: "receptive field, pixels", Log: true},
			Series: []figure.Series{
				{Name: "dilations 1, 2, 4, 8, …", X: layers, Y: doubled, Mark: figure.LinePoints},
				{Name: "plain (dilation 1)", X: layers, Y: plain, Mark: figure.LinePoints},
			},
		}},
	})
}

// With dilations that share a factor the field has holes: what stands in them can change at will.
func TestWhyGridding(t *testing.T) {
	defer check.Rescue(t)
	count := func(dilations []int) (read, field int) {
		for _, r := range dilation.Taps(3, dilations) {
			field++
			if r {
				read++
			}
		}
		return read, field
	}
	for _, c := range []struct {
		dilations   []int
		read, field int
	}{{[]int{2, 2, 2}, 7, 13}, {[]int{2, 4, 8}, 15, 29}, {[]int{1, 2, 4}, 15, 15}, {[]int{1, 2, 5}, 17, 17}} {
		read, field := count(c.dilations)
		require.Equal(t, []int{c.read, c.field}, []int{read, field}, "positions read, and field, of dilations %v", c.dilations)
		t.Logf("dilations %v: %d of the %d positions of the field are read", c.dilations, read, field)

		// Along both axes the gradient is where the taps say.
		taps, rows := dilation.Taps(3, c.dilations), reads(t, c.dilations)
		for i := range rows {
			for j := range rows {
				require.Equal(t, taps[i] && taps[j], rows[i][j] != 0, "whether dilations %v read (%d, %d)", c.dilations, i, j)
			}
		}
	}

	// Which schedules leave no hole? In order of size, no dilation may exceed the field of those before it: the copies of that field that the
	// layer's taps make must touch or overlap. A common factor breaks that at the first layer; 2, 3 and 1, 4 break it without one.
	rule := func(dilations []int) bool {
		for i, d := range dilations {
			if d > dilation.Field(3, dilations[:i]) {
				return false
			}
		}
		return true
	}
	whole, schedules := 0, 0
	for a := 1; a <= 12; a++ {
		for b := a; b <= 12; b++ {
			for c := b; c <= 12; c++ {
				read, field := count([]int{a, b, c})
				require.Equal(t, rule([]int{a, b, c}), read == field, "whether dilations %d, %d, %d read their whole field", a, b, c)
				schedules++
				if read == field {
					whole++
				}
			}
		}
	}
	t.Logf("of the %d schedules of three dilations up to 12, %d read their whole field: those with no dilation above the field of the smaller ones", schedules, whole)

	// A digit in the middle of the field, then noise on every pixel that 2, 2, 2 never reads: it has no effect there, and it has one for 1, 2, 4.
	rng := check.Rand(t)
	response := func(dilations []int, image tensor.CHW) float64 {
		for _, d := range dilations {
			w := ones(3)
			for i := range w.Data {
				w.Data[i] = 1 + float64(i)/9
			}
			image = dilation.Conv2D(image, w, d)
		}
		return image.At(0, 0, 0)
	}
	digit := digits.Image(digits.All().X.RawRowView(rng.IntN(1797)))
	for _, dilations := range [][]int{{2, 2, 2}, {1, 2, 4}} {
		taps := dilation.Taps(3, dilations)
		spaced := dilation.Taps(3, []int{2, 2, 2, 2})[:len(taps)] // every second position
		clean := tensor.NewCHW(1, len(taps), len(taps), nil)
		for i := range 8 {
			for j := range 8 {
				clean.Set(0, i+2, j+2, digit.At(0, i, j))
			}
		}
		noisy, changed := check.Copy(clean), 0
		for i := range taps {
			for j := range taps {
				if !spaced[i] || !spaced[j] {
					noisy.Set(0, i, j, rng.Float64())
					changed++
				}
			}
		}
		before, after := response(dilations, clean), response(dilations, noisy)
		require.Equal(t, dilations[0] == 2, math.Abs(before-after) < 1e-9*math.Abs(before), "whether noise on the pixels off the even rows and columns leaves the response of dilations %v as it was", dilations)
		t.Logf("dilations %v: with noise on %d of %d pixels the response goes from %.6g to %.6g", dilations, changed, len(taps)*len(taps), before, after)
	}

	panel := func(title string, dilations []int) figure.Panel {
		return figure.Panel{
			Title: title, X: figure.Axis{Label: "column of the field"}, Y: figure.Axis{Label: "row of the field"},
			Heat: &figure.Heat{Values: reads(t, dilations), Names: []string{"not read", "read"}, Min: new(0.0), Max: new(1.0)},
		}
	}
	figure.Save(t, "gridding", figure.Figure{
		Title:   "Dilations 2, 2, 2 leave holes in the field of an output; 1, 2, 4 read every pixel",
		Caption: "Three 3×3 layers with the dilations named above each panel; found by your backward pass.",
		Panels:  []figure.Panel{panel("dilations 2, 2, 2: 49 of 169 pixels", []int{2, 2, 2}), panel("dilations 1, 2, 4: all 225 pixels", []int{1, 2, 4})},
	})
}

// Dilation widens the field at stride 1: one output a position, and a shifted image gives the shifted output, whatever the shift. After
// keeping every second output, as pooling with stride 2 does, a shift by one pixel gives other numbers.
// Measured over 250 seeds of 20 digits: the subsampled maps differ by 0.09 to 1.17 of their norm; the threshold is 0.01. At stride 1 the difference is 0.
func TestWhyResolution(t *testing.T) {
	defer check.Rescue(t)
	ramp := tensor.NewCHW(1, 7, 7, nil)
	for i := range ramp.Data {
		ramp.Data[i] = float64(i)
	}
	y := dilation.Conv2D(ramp, ones(3), 2)
	check.Equal(t, "Conv2D of 0…48 in a 7×7 image with 3×3 ones, dilation 2", y,
		tensor.NewCHW(1, 3, 3, []float64{144, 153, 162, 207, 216, 225, 270, 279, 288}), check.Exact)

	rng := check.Rand(t)
	set := digits.All()
	w := tensor.NewOIHW(1, 1, 3, 3, nil)
	for i := range w.Data {
		w.Data[i] = rng.NormFloat64()
	}
	canvas := func(image tensor.CHW, left int) tensor.CHW {
		c := tensor.NewCHW(1, 20, 20, nil)
		for i := range 8 {
			for j := range 8 {
				c.Set(0, i+6, j+left, image.At(0, i, j))
			}
		}
		return c
	}
	low, high := math.Inf(1), 0.0
	for range 20 {
		image := digits.Image(set.X.RawRowView(rng.IntN(set.Len())))
		here, there := dilation.Conv2D(canvas(image, 5), w, 2), dilation.Conv2D(canvas(image, 6), w, 2)
		require.Equal(t, []int{16, 16}, []int{here.H, here.W}, "output of a 20×20 image")
		for i := range here.H {
			for j := 1; j < here.W; j++ {
				require.InDelta(t, here.At(0, i, j-1), there.At(0, i, j), 1e-9, "a digit one pixel to the right must give the output one pixel to the right")
			}
		}
		difference, norm := 0.0, 0.0
		for i := 0; i < here.H; i += 2 {
			for j := 0; j+2 < here.W; j += 2 {
				a, b := here.At(0, i, j), there.At(0, i, j)
				best := math.Min(math.Abs(a-b), math.Abs(a-there.At(0, i, j+2)))
				difference += best * best
				norm += a * a
			}
		}
		ratio := math.Sqrt(difference / norm)
		low, high = math.Min(low, ratio), math.Max(high, ratio)
	}
	require.Greater(t, low, 0.01, "relative difference of the subsampled maps, wherever each value is looked for")
	t.Logf("20 digits: at stride 1 a shift by one pixel shifts the output; kept at every second pixel only, it changes the map by %.2f to %.2f of its norm", low, high)
}
