package densetoconv_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	"whyhow/katas/kit/tensor"
	densetoconv "whyhow/katas/q09-dense-to-conv"
)

// compare scores a scene with a random net trained (so to speak) at size: by the score map of the whole scene, and crop by crop at every stride-th pixel, starting
// at (off, off). It returns both maps, the same places of each.
func compare(t *testing.T, pad, size, image, off int) (whole, crops tensor.CHW) {
	t.Helper()
	rng := check.Rand(t)
	net := newTrunk(pad, rng)
	x := scene(image, image, rng)
	side := net.features(tensor.NewCHW(1, size, size, nil)).H
	w, bias := gaussian(3, 6*side*side, 1/math.Sqrt(float64(6*side*side)), rng), []float64{0.5, -0.5, 1}
	score := func(crop tensor.CHW) []float64 { return densetoconv.Dense(net.features(crop), w, bias) }
	whole = densetoconv.ScoreMap(net.features(x), w, bias, side, side)
	places := densetoconv.MapSize(image, size, 4)
	require.Equal(t, []int{3, places, places}, []int{whole.C, whole.H, whole.W}, "ScoreMap of the whole scene")
	crops = densetoconv.Slide(densetoconv.Crop(x, off, off, image-off, image-off), size, 4, score)
	return densetoconv.Crop(whole, 0, 0, crops.H, crops.W), crops
}

// Without padding the score map of the whole image is the scores of the crops, at crop places that are multiples of the net's total stride, 4. Measured
// over 40 seeds: relative difference at most 5e-16; with crops one pixel further 0.10 to 0.72. The thresholds are 1e-12 and 1e-3.
func TestWhyEqual(t *testing.T) {
	defer check.Rescue(t)
	whole, crops := compare(t, 0, 18, 30, 0)
	equal := distance(whole, crops)
	whole, crops = compare(t, 0, 18, 30, 1)
	off := distance(whole, crops)
	require.Less(t, equal, 1e-12, "relative difference between score map and crops, without padding")
	require.Greater(t, off, 1e-3, "relative difference when the crops start one pixel further")
	t.Logf("without padding, crops at multiples of 4: relative difference %.1g; crops one pixel further: %.2f", equal, off)
}

// With padding the two are not equal: at its border a crop sees zeros where the whole image has pixels. Measured over 40 seeds: relative
// difference 0.03 to 0.73; the threshold is 1e-3.
func TestWhyPadding(t *testing.T) {
	defer check.Rescue(t)
	whole, crops := compare(t, 1, 16, 28, 0)
	padded := distance(whole, crops)
	require.Greater(t, padded, 1e-3, "relative difference between score map and crops, with padding")
	t.Logf("with padding, crops at multiples of 4: relative difference %.2f", padded)
}

// VGG-16 on a 384×384 image: 36 places of 224×224 crops.
func TestWhyCosts(t *testing.T) {
	defer check.Rescue(t)
	const dense = 25088*4096 + 4096*4096 + 4096*1000
	const conv = 15_470_264_320 - dense
	slide, whole := densetoconv.Costs(384, 224, 32, conv, dense)
	require.Equal(t, 6, densetoconv.MapSize(384, 224, 32))
	require.Equal(t, []int{556_929_515_520, 49_551_114_240}, []int{slide, whole}, "MACs of 36 crops, and of the whole image at once")
	ratio := func(stride int) float64 {
		s, w := densetoconv.Costs(384, 224, stride, conv, dense)
		return float64(s) / float64(w)
	}
	require.InDelta(t, 11.24, ratio(32), 0.005)
	// Crops that do not overlap save next to nothing: two of 224 along 448.
	s, w := densetoconv.Costs(448, 224, 224, conv, dense)
	require.Equal(t, s, w, "four crops that do not overlap cost as much as the whole image")
	t.Logf("VGG-16 on 384×384: 36 crops %d MACs, at once %d, %.2f times fewer; the dense head's share is the same 36·%d in both", slide, whole, ratio(32), dense)

	var x, many, once []float64
	for image := 224; image <= 640; image += 32 {
		s, w := densetoconv.Costs(image, 224, 32, conv, dense)
		x, many, once = append(x, float64(image)), append(many, float64(s)/1e9), append(once, float64(w)/1e9)
	}
	figure.Save(t, "costs", figure.Figure{
		Title:   "One pass over the whole image scores every place for a fraction of the cost of the crops",
		Caption: "VGG-16, 224×224 crops every 32 pixels, its dense layers as convolutions.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "side of the image, pixels"}, Y: figure.Axis{Label: "billion multiply-accumulates", Log: true},
			Series: []figure.Series{{Name: "crop by crop", X: x, Y: many, Mark: figure.LinePoints}, {Name: "the whole image at once", X: x, Y: once, Mark: figure.LinePoints}},
		}},
	})
}

// A classifier of 8×8 digits, trained on centred ones only, slides over a larger canvas with one digit in it: where is the score of its class
// highest? Measured over 40 seeds, 200 digits each: within one pixel 0.81 to 0.95, exactly 0.52 to 0.72; the threshold is 0.7. It is no detector: without a background class nothing taught it
// what a digit cut in two looks like.
func TestWhyCanvas(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	w, bias, val := softmaxRegression(500, 10, rng)
	const tries = 200
	near, exact := 0, 0
	var shown figure.Figure
	for n := range tries {
		label := val.Labels[n]
		canvas := tensor.NewCHW(1, 20, 24, nil)
		top, left := rng.IntN(13), rng.IntN(17)
		paste(canvas, digits.Image(val.X.RawRowView(n)), top, left)
		scores := densetoconv.ScoreMap(canvas, w, bias, 8, 8)
		require.Equal(t, []int{10, 13, 17}, []int{scores.C, scores.H, scores.W}, "ScoreMap of a 20×24 canvas")
		row, column := 0, 0
		for i := range scores.H {
			for j := range scores.W {
				if scores.At(label, i, j) > scores.At(label, row, column) {
					row, column = i, j
				}
			}
		}
		if max(row-top, top-row, column-left, left-column) <= 1 {
			near++
		}
		if row == top && column == left {
			exact++
		}
		if n == 0 {
			rows := func(x tensor.CHW, channel int) [][]float64 {
				out := make([][]float64, x.H)
				for i := range out {
					out[i] = x.Data[(channel*x.H+i)*x.W : (channel*x.H+i+1)*x.W]
				}
				return out
			}
			shown = figure.Figure{
				Title:   fmt.Sprintf("One convolution scores class %d at every place of a canvas", label),
				Caption: fmt.Sprintf("A position is where an 8×8 window has its top left pixel. The digit's is row %d, column %d; the highest score is at row %d, column %d.", top, left, row, column),
				Panels: []figure.Panel{
					{Title: "canvas", X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"}, Heat: &figure.Heat{Values: rows(canvas, 0)}},
					{Title: fmt.Sprintf("score of class %d", label), X: figure.Axis{Label: "column of the window"}, Y: figure.Axis{Label: "row of the window"}, Heat: &figure.Heat{Values: rows(scores, label), Diverging: true}},
				},
			}
		}
	}
	share := float64(near) / tries
	require.GreaterOrEqual(t, share, 0.7, "share of digits whose class peaks within one pixel of the digit")
	t.Logf("%d digits: the true class peaks within one pixel of the digit for %.2f, exactly on it for %.2f", tries, share, float64(exact)/tries)
	figure.Save(t, "canvas", shown)
}
