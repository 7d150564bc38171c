package pointwise_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/digits"
	"whyhow/katas/kit/figure"
	"whyhow/katas/kit/tensor"
	pointwise "whyhow/katas/q04-pointwise"
)

// Published architectures, counted with the learner's functions. GoogLeNet: Szegedy et al. 2015, table 1, without
// biases. MobileNet v1: Howard et al. 2017, table 1, at 224×224.
func TestWhyCheaper(t *testing.T) {
	defer check.Rescue(t)
	const h, w, in, out, kernel = 28, 28, 192, 32, 5
	direct, squeezed := pointwise.MACs(h, w, in, out, kernel), pointwise.Squeezed(h, w, in, 16, out, kernel)
	widest := pointwise.WidestUsefulMid(in, out, kernel)
	require.Equal(t, 120_422_400, direct, "MACs of the 5×5 convolution, 192 to 32 channels on 28×28")
	require.Equal(t, 12_443_648, squeezed, "MACs of the same through 16 channels")
	require.Equal(t, 154, widest, "the widest squeeze that still pays")
	t.Logf("5×5, 192 to 32 channels on 28×28: %d MACs, through 16 channels %d, %.2f times fewer; it pays up to %d channels",
		direct, squeezed, float64(direct)/float64(squeezed), widest)

	// 1×1, 3×3 after its reduction, 5×5 after its reduction, the projection after the pool.
	inception := func(in, one, reduce3, three, reduce5, five, project int) (weights, macs int) {
		for _, c := range [][3]int{{in, one, 1}, {in, reduce3, 1}, {reduce3, three, 3}, {in, reduce5, 1}, {reduce5, five, 5}, {in, project, 1}} {
			weights += pointwise.Params(c[0], c[1], c[2], false)
			macs += pointwise.MACs(28, 28, c[0], c[1], c[2])
		}
		return weights, macs
	}
	weights, macs := inception(192, 64, 96, 128, 16, 32, 32)
	require.Equal(t, []int{163_328, 128_049_152}, []int{weights, macs}, "weights and MACs of inception 3a")
	t.Logf("GoogLeNet, inception 3a: %d weights, %d MACs", weights, macs)
	weights, macs = inception(256, 128, 128, 192, 32, 96, 64)
	require.Equal(t, []int{388_096, 304_267_264}, []int{weights, macs}, "weights and MACs of inception 3b")
	t.Logf("GoogLeNet, inception 3b: %d weights, %d MACs", weights, macs)

	// MobileNet v1: a 3×3 stem, then pairs of a depthwise 3×3 and a 1×1 convolution, a dense layer.
	side, channels := 112, 32
	total, onebyone := pointwise.MACs(112, 112, 3, 32, 3), 0
	for _, pair := range []struct{ stride, out int }{
		{1, 64}, {2, 128}, {1, 128}, {2, 256}, {1, 256}, {2, 512}, {1, 512}, {1, 512}, {1, 512}, {1, 512}, {1, 512}, {2, 1024}, {1, 1024},
	} {
		side /= pair.stride
		total += pointwise.MACs(side, side, 1, channels, 3) // one input channel a filter
		onebyone += pointwise.MACs(side, side, channels, pair.out, 1)
		channels = pair.out
	}
	total += onebyone + 1024*1000
	share := float64(onebyone) / float64(total)
	require.Equal(t, 568_740_352, total, "MACs of MobileNet v1")
	require.InDelta(t, 0.949, share, 0.0005, "share of the 1×1 convolutions in them")
	t.Logf("MobileNet v1: %d MACs, %.1f %% of them in 1×1 convolutions", total, 100*share)

	var x, y, flat []float64
	for mid := 4; mid <= 192; mid += 4 {
		x = append(x, float64(mid))
		y = append(y, float64(pointwise.Squeezed(h, w, in, mid, out, kernel))/1e6)
		flat = append(flat, float64(direct)/1e6)
	}
	figure.Save(t, "squeeze", figure.Figure{
		Title:   "A 1×1 convolution in front makes the 5×5 cheaper, up to 154 channels",
		Caption: "28×28 map, 192 to 32 channels. GoogLeNet squeezes to 16 channels.",
		Panels: []figure.Panel{{
			X: figure.Axis{Label: "channels after the 1×1 convolution"}, Y: figure.Axis{Label: "million multiply-accumulates", Min: new(0.0)},
			Series: []figure.Series{
				{Name: "1×1, then 5×5", X: x, Y: y},
				{Name: "5×5 directly", X: x, Y: flat, Mark: figure.Dashed},
				{Name: "GoogLeNet's 16", X: []float64{16}, Y: []float64{float64(squeezed) / 1e6}, Mark: figure.Points},
				{Name: "break-even", X: []float64{float64(widest)}, Y: []float64{float64(pointwise.Squeezed(h, w, in, widest, out, kernel)) / 1e6}, Mark: figure.Points},
			},
		}},
	})
}

// patches is a digit with nine channels: every pixel's 3×3 neighbourhood, zeros beyond the edge.
func patches(image tensor.CHW) tensor.CHW {
	x := tensor.NewCHW(9, image.H, image.W, nil)
	for c := range 9 {
		for i := range image.H {
			for j := range image.W {
				if a, b := i+c/3-1, j+c%3-1; a >= 0 && a < image.H && b >= 0 && b < image.W {
					x.Set(c, i, j, image.At(0, a, b))
				}
			}
		}
	}
	return x
}

func gaussian(t *testing.T, rows, columns int) *mat.Dense {
	t.Helper()
	return mat.NewDense(rows, columns, check.Normal(check.Rand(t), rows*columns, 1))
}

// One dense layer, applied to the channels of every pixel, gives the 1×1 convolution; and shuffling the pixels before it or after it is the same, because it
// sees one pixel at a time.
func TestWhyDense(t *testing.T) {
	defer check.Rescue(t)
	set := digits.All()
	rng := check.Rand(t)
	dense, bias := gaussian(t, 4, 9), []float64{0.5, -1, 2, 0.25}
	worst, moved := 0.0, 0.0
	for _, n := range rng.Perm(set.Len())[:20] {
		x := patches(digits.Image(set.X.RawRowView(n)))
		y := pointwise.Conv1x1(check.Copy(x), dense, bias)
		require.Equal(t, []int{4, 8, 8}, []int{y.C, y.H, y.W}, "shape of Conv1x1(x, w, bias)")
		pixel, out := mat.NewVecDense(9, nil), mat.NewVecDense(4, nil)
		for i := range 8 {
			for j := range 8 {
				for c := range 9 {
					pixel.SetVec(c, x.At(c, i, j))
				}
				out.MulVec(dense, pixel)
				for o := range 4 {
					worst = max(worst, math.Abs(out.AtVec(o)+bias[o]-y.At(o, i, j)))
				}
			}
		}
		order := rng.Perm(64)
		shuffled := pointwise.Conv1x1(shuffle(x, order), dense, bias)
		for k, v := range shuffle(y, order).Data {
			moved = max(moved, math.Abs(v-shuffled.Data[k]))
		}
	}
	require.Less(t, worst, 1e-12, "largest difference between Conv1x1 and a dense layer at each pixel")
	require.Less(t, moved, 1e-12, "largest difference between shuffling the pixels before and after Conv1x1")
	t.Logf("20 digits: Conv1x1 and a dense layer at every pixel differ by %.1g at most; shuffling the pixels first changes nothing but their places (%.1g)", worst, moved)
}

func shuffle(x tensor.CHW, order []int) tensor.CHW {
	y := tensor.NewCHW(x.C, x.H, x.W, nil)
	area := x.H * x.W
	for c := range x.C {
		for to, from := range order {
			y.Data[c*area+to] = x.Data[c*area+from]
		}
	}
	return y
}

// Without an activation between them two 1×1 convolutions are one; with ReLU they are more than any one can be. For an affine map f(0,0)+f(1,1)−f(0,1)−f(1,0)
// is 0, for XOR it is −2.
func TestWhyDeeper(t *testing.T) {
	defer check.Rescue(t)
	set := digits.All()
	x := patches(digits.Image(set.X.RawRowView(7)))
	w1, b1 := gaussian(t, 6, 9), []float64{1, -1, 0.5, 2, 0, -2}
	w2, b2 := mat.DenseCopyOf(gaussian(t, 6, 4).T()), []float64{1, 2, 3, 4}
	twice := pointwise.Conv1x1(pointwise.Conv1x1(x, w1, b1), w2, b2)
	w, b := pointwise.Fuse(w2, b2, w1, b1)
	once := pointwise.Conv1x1(x, w, b)
	check.Equal(t, "one fused 1×1 convolution of a digit", once, twice, check.Abs(1e-12), check.Why("without an activation two 1×1 convolutions are one"))

	corners := tensor.NewCHW(2, 2, 2, []float64{0, 0, 1, 1, 0, 1, 0, 1}) // pixels (0,0) (0,1) (1,0) (1,1)
	interaction := func(y tensor.CHW) float64 { return y.Data[0] + y.Data[3] - y.Data[1] - y.Data[2] }
	largest := 0.0
	rng := check.Rand(t)
	for range 1000 {
		single := mat.NewDense(1, 2, []float64{rng.NormFloat64(), rng.NormFloat64()})
		largest = max(largest, math.Abs(interaction(pointwise.Conv1x1(corners, single, []float64{rng.NormFloat64()}))))
	}
	require.Less(t, largest, 1e-12, "f(0,0)+f(1,1)−f(0,1)−f(1,0) of any single 1×1 convolution")

	x1, c1, x2, c2 := pointwise.PixelXOR()
	xor := func(bits tensor.CHW) tensor.CHW {
		hidden := pointwise.Conv1x1(bits, x1, c1)
		for i, v := range hidden.Data {
			hidden.Data[i] = max(v, 0)
		}
		return pointwise.Conv1x1(hidden, x2, c2)
	}
	two := interaction(xor(corners))
	require.InDelta(t, -2, two, 1e-8, "the same for PixelXOR with ReLU between")

	// On a real image: XOR of two thresholded digits, pixel by pixel.
	zero, one := set.X.RawRowView(0), set.X.RawRowView(1)
	bits := tensor.NewCHW(2, 8, 8, nil)
	for i := range 64 {
		bits.Data[i], bits.Data[64+i] = math.Round(zero[i]), math.Round(one[i])
	}
	y := xor(bits)
	wrong := 0
	for i := range 64 {
		if (y.Data[i] > 0.5) != (bits.Data[i] != bits.Data[64+i]) {
			wrong++
		}
	}
	require.Zero(t, wrong, "pixels at which PixelXOR of a 0 and a 1 is wrong")
	t.Logf("two 1×1 convolutions fuse into one; f(0,0)+f(1,1)−f(0,1)−f(1,0) is %.1g at most for a thousand single ones, %.4g for two with ReLU", largest, two)

	grid := func(v []float64) [][]float64 {
		rows := make([][]float64, 8)
		for i := range rows {
			rows[i] = v[8*i : 8*i+8]
		}
		return rows
	}
	panel := func(title string, v []float64) figure.Panel {
		return figure.Panel{Title: title, X: figure.Axis{Label: "column"}, Y: figure.Axis{Label: "row"}, Heat: &figure.Heat{Values: grid(v), Names: []string{"off", "on"}, Min: new(0.0), Max: new(1.0)}}
	}
	figure.Save(t, "xor", figure.Figure{
		Title:   "1×1, ReLU, 1×1: XOR of two channels at every pixel, which no single 1×1 can compute",
		Caption: "A 0 and a 1, thresholded at half brightness, and what your PixelXOR makes of them.",
		Panels:  []figure.Panel{panel("channel 0", bits.Data[:64]), panel("channel 1", bits.Data[64:]), panel("PixelXOR", y.Data)},
	})
}
