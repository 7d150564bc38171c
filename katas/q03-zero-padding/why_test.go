package padding_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/figure"
	"whyhow/katas/kit/tensor"
	padding "whyhow/katas/q03-zero-padding"
)

// ones returns an image and one kernel of nothing but ones and weights.
func ones(h, w, kernel int, weight float64) (tensor.CHW, tensor.OIHW) {
	x, k := tensor.NewCHW(1, h, w, nil), tensor.NewOIHW(1, 1, kernel, kernel, nil)
	for i := range x.Data {
		x.Data[i] = 1
	}
	for i := range k.Data {
		k.Data[i] = weight
	}
	return x, k
}

func rows(x tensor.CHW) [][]float64 {
	r := make([][]float64, x.H)
	for i := range r {
		r[i] = x.Data[i*x.W : (i+1)*x.W]
	}
	return r
}

func TestWhyBorder(t *testing.T) {
	defer check.Rescue(t)
	fig := figure.Figure{
		Title:   "Of valid, same and full padding with zeros, only full reads all pixels equally often",
		Caption: "How many 3×3 windows read each pixel of a 5×5 image. Unpadded, a corner is read once and the centre nine times. One ring of zeros narrows that to 4 and 9; two rings end it.",
	}
	for _, c := range []struct {
		pad                  int
		corner, edge, centre int
		title                string
	}{
		{0, 1, 3, 9, "pad 0 (valid): 3×3 outputs"},
		{1, 4, 6, 9, "pad 1 (same): 5×5 outputs"},
		{2, 9, 9, 9, "pad 2 (full): 7×7 outputs"},
	} {
		uses := padding.Uses(5, 5, 3, c.pad)
		check.Equal(t, fmt.Sprintf("Uses(5, 5, 3, %d) at corner, middle of the edge, centre", c.pad),
			[]int{uses[0][0], uses[0][2], uses[2][2]}, []int{c.corner, c.edge, c.centre}, check.Exact)
		least, values, sum := uses[0][0], make([][]float64, 5), 0
		for i, row := range uses {
			for _, u := range row {
				least, sum, values[i] = min(least, u), sum+u, append(values[i], float64(u))
			}
		}
		require.Positive(t, least, "at stride 1 every pixel is read, whatever the padding")
		t.Logf("pad %d: corner %d, edge %d, centre %d; a corner has %.0f %% of the centre's say",
			c.pad, c.corner, c.edge, c.centre, 100*float64(c.corner)/float64(c.centre))
		fig.Panels = append(fig.Panels, figure.Panel{
			Title: c.title, X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"},
			Heat: &figure.Heat{Values: values, Numbers: true, Min: new(0.0), Max: new(9.0)},
		})
	}
	figure.Save(t, "uses", fig)
}

func TestWhyDepth(t *testing.T) {
	defer check.Rescue(t)
	fig := figure.Figure{
		Title:   "Unpadded, 32 pixels last for 15 layers of 3×3, 7 of 5×5 or 5 of 7×7",
		Caption: "Stride 1. Unpadded, a layer takes k − 1 pixels, and a line ends where the next layer no longer fits. Padded (k − 1)/2, nothing is lost.",
		Panels:  []figure.Panel{{X: figure.Axis{Label: "layer"}, Y: figure.Axis{Label: "pixels along one axis", Min: new(0.0)}}},
	}
	for _, c := range []struct{ kernel, layers int }{{3, 15}, {5, 7}, {7, 5}} {
		layer, sizes := []float64{0}, []float64{32}
		for size := 32; ; {
			next, err := padding.OutputSize(size, c.kernel, 1, 1, 0, 0)
			if err != nil {
				break
			}
			require.Less(t, next, size, "OutputSize(%d, %d, 1, 1, 0, 0): an unpadded layer must take pixels away", size, c.kernel)
			size = next
			layer, sizes = append(layer, float64(len(layer))), append(sizes, float64(size))
		}
		check.Equal(t, fmt.Sprintf("unpadded %d×%d layers until OutputSize returns an error", c.kernel, c.kernel), len(sizes)-1, c.layers, check.Exact)
		check.Equal(t, fmt.Sprintf("LayersUntilGone(32, %d)", c.kernel), padding.LayersUntilGone(32, c.kernel), c.layers, check.Exact)
		t.Logf("unpadded %d×%d layers: 32 pixels survive %d, and %.0f are left", c.kernel, c.kernel, c.layers, sizes[c.layers])
		fig.Panels[0].Series = append(fig.Panels[0].Series, figure.Series{
			Name: fmt.Sprintf("%d×%d, unpadded", c.kernel, c.kernel), X: layer, Y: sizes, Mark: figure.LinePoints,
		})
	}
	size, layer, sizes := 32, []float64{0}, []float64{32}
	for i := range 16 {
		before, after := padding.Same(size, 3, 1)
		next, err := padding.OutputSize(size, 3, 1, 1, before, after)
		require.NoError(t, err)
		size = next
		layer, sizes = append(layer, float64(i+1)), append(sizes, float64(size))
	}
	check.Equal(t, "pixels after 16 layers of 3×3 padded by Same", size, 32, check.Exact)
	fig.Panels[0].Series = append(fig.Panels[0].Series, figure.Series{Name: "3×3, pad 1", X: layer, Y: sizes, Mark: figure.Dashed})
	figure.Save(t, "depth", fig)
}

func TestWhyPosition(t *testing.T) {
	defer check.Rescue(t)
	x, k := ones(5, 5, 3, 1)
	once := padding.Conv2D(x, k, nil, 1, 1)
	check.Equal(t, "Conv2D(ones, ones, stride 1, pad 1)", once, tensor.NewCHW(1, 5, 5, []float64{
		4, 6, 6, 6, 4,
		6, 9, 9, 9, 6,
		6, 9, 9, 9, 6,
		6, 9, 9, 9, 6,
		4, 6, 6, 6, 4,
	}), check.Rel(1e-12), check.Why("the image is the same everywhere; the answer is not, so it tells where the border is"))

	// A blur leaves a uniform image as it is, but for what the zeros let in: one ring deeper with every layer.
	const size, layers = 11, 5
	padded, blur := ones(size, size, 3, 1.0/9)
	bare := padded
	fig := figure.Figure{
		Title:   "A uniform 11×11 image after padded 3×3 blurs: the border shows, one ring deeper a layer",
		Caption: "Every pixel goes in as 1. Without zeros it would come out as 1, everywhere. After five layers only the centre still does.",
	}
	for layer := 1; layer <= layers; layer++ {
		padded, bare = padding.Conv2D(padded, blur, nil, 1, 1), padding.Conv2D(bare, blur, nil, 1, 0)
		untouched := 0
		for _, v := range padded.Data {
			if v > 1-1e-9 {
				untouched++
			}
		}
		side := size - 2*layer
		check.Equal(t, fmt.Sprintf("pixels that still answer 1 after %d padded layers", layer), untouched, side*side, check.Exact)
		for _, v := range bare.Data {
			check.Equal(t, fmt.Sprintf("an answer after %d unpadded layers", layer), v, 1.0, check.Rel(1e-9))
		}
		check.Equal(t, fmt.Sprintf("rows left after %d unpadded layers", layer), bare.H, side, check.Exact)
		t.Logf("after %d padded layers %d of %d pixels know nothing of the border; unpadded, all of %d×%d", layer, untouched, size*size, bare.H, bare.W)
		if layer%2 == 1 {
			fig.Panels = append(fig.Panels, figure.Panel{
				Title: fmt.Sprintf("layer %d", layer), X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"},
				Heat: &figure.Heat{Values: rows(padded), Min: new(0.0), Max: new(1.0)},
			})
		}
	}
	figure.Save(t, "position", fig)
}

func TestWhyStride(t *testing.T) {
	defer check.Rescue(t)
	rng := check.Rand(t)
	w := tensor.NewOIHW(1, 1, 11, 11, nil)
	for i := range w.Data {
		w.Data[i] = rng.NormFloat64()
	}
	for _, c := range []struct{ size, pad, out, unread int }{{224, 0, 54, 1}, {227, 0, 55, 0}, {224, 2, 55, 0}} {
		out, err := padding.OutputSize(c.size, 11, 4, 1, c.pad, c.pad)
		require.NoError(t, err)
		check.Equal(t, fmt.Sprintf("OutputSize(%d, 11, 4, 1, %d, %d)", c.size, c.pad, c.pad), out, c.out, check.Exact)
		unread := padding.Unread(c.size, 11, 4, 1, c.pad, c.pad)
		check.Equal(t, fmt.Sprintf("Unread(%d, 11, 4, 1, %d, %d)", c.size, c.pad, c.pad), unread, c.unread, check.Exact)

		// What nothing reads may be anything: paint the last row and column and convolve again.
		x := tensor.NewCHW(1, c.size, c.size, nil)
		for i := range x.Data {
			x.Data[i] = rng.NormFloat64()
		}
		painted := x.Clone()
		for i := range c.size {
			painted.Set(0, c.size-1, i, 100)
			painted.Set(0, i, c.size-1, 100)
		}
		changed := 0
		before, after := padding.Conv2D(x, w, nil, 4, c.pad), padding.Conv2D(painted, w, nil, 4, c.pad)
		require.Equal(t, c.out, before.W, "the width of Conv2D's answer to %d pixels", c.size)
		for i, v := range before.Data {
			if v != after.Data[i] {
				changed++
			}
		}
		want := 0
		if c.unread == 0 {
			want = 2*c.out - 1
		}
		check.Equal(t, fmt.Sprintf("answers that change with the last row and column of %d×%d pixels, pad %d", c.size, c.size, c.pad), changed, want, check.Exact)
		t.Logf("%d pixels, pad %d: (%d + %d − 11)/4 + 1 = %.2f, so %d positions and %d pixel unread; painting the last row and column changes %d of %d answers",
			c.size, c.pad, c.size, 2*c.pad, float64(c.size+2*c.pad-11)/4+1, out, unread, changed, len(before.Data))
	}

	// Two habits of padding a 7×7 stem of stride 2: the sizes agree, the windows do not.
	before, after := padding.Same(224, 7, 2)
	check.Equal(t, "Same(224, 7, 2)", []int{before, after}, []int{2, 3}, check.Exact)
	for _, pads := range [][2]int{{3, 3}, {before, after}} {
		out, err := padding.OutputSize(224, 7, 2, 1, pads[0], pads[1])
		require.NoError(t, err)
		check.Equal(t, fmt.Sprintf("OutputSize(224, 7, 2, 1, %d, %d)", pads[0], pads[1]), out, 112, check.Exact)
		t.Logf("7×7, stride 2, %d zeros before and %d after 224 pixels: %d positions, the first from pixel %d on", pads[0], pads[1], out, -pads[0])
	}
}
