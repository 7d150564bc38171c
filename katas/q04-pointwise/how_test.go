package pointwise_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	pointwise "whyhow/katas/q04-pointwise"
)

func TestParams(t *testing.T) {
	defer check.Rescue(t)
	type layer struct{ h, w, in, out, kernel int }
	layers := []layer{{28, 28, 192, 32, 5}, {7, 9, 3, 5, 1}, {4, 6, 10, 7, 3}, {640, 480, 40_000, 30_000, 3}}
	each := func(f func(l layer) int) map[string]int {
		out := map[string]int{}
		for _, l := range layers {
			out[fmt.Sprintf("%d×%d, %d to %d channels, kernel %d×%d", l.h, l.w, l.in, l.out, l.kernel, l.kernel)] = f(l)
		}
		return out
	}
	weights := func(l layer) int { return l.in * l.out * l.kernel * l.kernel }
	for _, bias := range []bool{false, true} {
		biases := func(l layer) int {
			if bias {
				return l.out
			}
			return 0
		}
		opts := []check.Option{
			check.Why("every output channel has a kernel of its own for every input channel, and shares it over the map"),
			check.Mistake(each(func(l layer) int { return l.in*l.out*l.kernel + biases(l) }), "you took the kernel's side for its area: a kernel has k·k weights"),
		}
		if bias {
			opts = append(opts,
				check.Mistake(each(weights), "you left the biases out: there is one an output channel"),
				check.Mistake(each(func(l layer) int { return weights(l) + l.in }), "you gave every input channel a bias: there is one an output channel"),
				check.Mistake(each(func(l layer) int { return weights(l) + 1 }), "you added one bias for the whole layer: there is one an output channel"),
				check.Mistake(each(func(l layer) int { return weights(l) + l.in*l.out }), "you gave every kernel a bias: there is one an output channel"))
		}
		if !bias {
			opts = append(opts, check.Mistake(each(func(l layer) int { return weights(l) + l.out }), "you added the biases though bias is false"))
		}
		got := each(func(l layer) int { return pointwise.Params(l.in, l.out, l.kernel, bias) })
		check.Equal(t, fmt.Sprintf("Params(in, out, kernel, %t)", bias), got, each(func(l layer) int { return weights(l) + biases(l) }), check.Exact, opts...)
	}
	got := each(func(l layer) int { return pointwise.MACs(l.h, l.w, l.in, l.out, l.kernel) })
	macs := []check.Option{check.Why("every weight is used once at every position of the output map")}
	if !t.Failed() { // else MACs may rest on a Params that is wrong
		macs = append(macs,
			check.Mistake(each(func(l layer) int { return 2 * weights(l) * l.h * l.w }), "you counted FLOPs: a multiply-accumulate is one MAC, and two FLOPs"),
			check.Mistake(each(func(l layer) int { return l.in * l.out * l.kernel * l.h * l.w }), "you took the kernel's side for its area: a kernel has k·k weights"),
			check.Mistake(each(func(l layer) int { return l.out * l.kernel * l.kernel * l.h * l.w }), "you left the input channels out: an output value sums over all of them"),
			check.Mistake(each(func(l layer) int { return weights(l) * (l.h - l.kernel + 1) * (l.w - l.kernel + 1) }), "you shrank the map by the kernel: h×w is the output map already"),
			check.Mistake(each(weights), "you left the size of the map out: every weight is used at every position"),
			check.Mistake(each(func(l layer) int { return (weights(l) + l.out) * l.h * l.w }), "you counted the biases: they are added, not multiplied"))
	}
	check.Equal(t, "MACs(h, w, in, out, kernel)", got, each(func(l layer) int { return weights(l) * l.h * l.w }), check.Exact, macs...)
	check.Independent(t, "Params(in, out, kernel, bias)", pointwise.Params, check.Args{3, 5, 2, true}, check.Args{4, 6, 3, false})
	check.Independent(t, "MACs(h, w, in, out, kernel)", pointwise.MACs, check.Args{7, 9, 3, 5, 2}, check.Args{8, 6, 4, 7, 3})
}

func TestConv1x1(t *testing.T) {
	defer check.Rescue(t)
	type convCase struct {
		Name                           string
		X, W, Bias, Y                  check.Array
		Square                         bool
		NoBias, Transposed, PerChannel check.Array
	}
	for _, c := range check.Golden[convCase](t, "conv") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			var bias []float64
			var opts []check.Option
			if len(c.Bias.Data) > 0 {
				bias = c.Bias.Floats()
				// The right answer without the bias is known; more mistakes are made of it.
				with := func(f func(o int) float64) tensor.CHW {
					y := c.NoBias.CHW()
					for i := range y.Data {
						y.Data[i] += f(i / (y.H * y.W))
					}
					return y
				}
				positive := c.Y.CHW()
				for i, v := range positive.Data {
					positive.Data[i] = max(v, 0)
				}
				opts = append(opts,
					check.Mistake(c.NoBias.CHW(), "you left the bias out"),
					check.Mistake(with(func(int) float64 { return bias[0] }), "you gave every output channel the first bias: channel o has bias[o]"),
					check.Mistake(with(func(o int) float64 { return float64(c.X.Shape[0]) * bias[o] }), "you added the bias once an input channel: it is added once, outside the sum"),
					check.Mistake(positive, "you applied ReLU: the convolution itself is linear, an activation comes after it"))
			}
			if k := c.X.Shape[0]; k > 1 {
				// Data of x taken, and that of y laid down, as if channels were the last axis.
				y, w := tensor.NewCHW(c.Y.Shape[0], c.Y.Shape[1], c.Y.Shape[2], nil), c.W.Dense()
				for i := range y.Data {
					o, pixel := i%y.C, i/y.C
					y.Data[i] = mat.Dot(w.RowView(o), mat.NewVecDense(k, c.X.Data[pixel*k:(pixel+1)*k]))
					if bias != nil {
						y.Data[i] += bias[o]
					}
				}
				opts = append(opts, check.Mistake(y, "you read Data as rows, columns, channels: in a CHW the channel comes first"))
			}
			if c.Square {
				opts = append(opts,
					check.Mistake(c.Transposed.CHW(), "you indexed the weights [in][out]: w is out×in"),
					check.Mistake(c.PerChannel.CHW(), "you scaled every channel by itself: an output channel is a weighted sum over all input channels"))
			}
			x, w, b := c.X.CHW(), c.W.Dense(), check.Copy(bias)
			got := pointwise.Conv1x1(x, w, b)
			check.Equal(t, "Conv1x1(x, w, bias)", got, c.Y.CHW(), check.Tol{Rel: 1e-9, Abs: 1e-11},
				append(opts, check.Kept("x", x, c.X.CHW()), check.Kept("w", w, c.W.Dense()), check.Kept("bias", b, bias), check.Why("at each pixel, output channel o is bias[o] + Σ_c w[o][c]·x[c]"))...)
		})
	}
	t.Run("one channel", func(t *testing.T) {
		defer check.Rescue(t)
		got := pointwise.Conv1x1(tensor.NewCHW(1, 2, 3, []float64{1, 2, 3, 4, 5, 7}), mat.NewDense(1, 1, []float64{-2}), []float64{0})
		check.Equal(t, "Conv1x1 of the one channel [1 2 3; 4 5 7] with w = −2 and bias 0", got, tensor.NewCHW(1, 2, 3, []float64{-2, -4, -6, -8, -10, -14}), check.Rel(1e-9),
			check.Why("one channel is weighed like any other, and a bias of 0 is a bias"),
			check.Mistake(tensor.NewCHW(1, 2, 3, []float64{1, 2, 3, 4, 5, 7}), "you left a single channel as it was: it has its weight too"))
	})
	t.Run("weights that are a part of a larger matrix", func(t *testing.T) {
		defer check.Rescue(t)
		w := mat.NewDense(2, 3, []float64{1, 2, 9, 3, 4, 9}).Slice(0, 2, 0, 2).(*mat.Dense)
		got := pointwise.Conv1x1(tensor.NewCHW(2, 1, 1, []float64{1, 10}), w, nil)
		check.Equal(t, "Conv1x1 of one pixel (1, 10) with w = [1 2; 3 4], the left part of a 2×3 matrix", got, tensor.NewCHW(2, 1, 1, []float64{21, 43}), check.Rel(1e-9),
			check.Mistake(tensor.NewCHW(2, 1, 1, []float64{21, 39}), "you read RawMatrix().Data as if rows had no stride: use w.At, or step by RawMatrix().Stride"))
	})
	t.Run("shapes", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Conv1x1 of 3 channels with weights for 2", func() { pointwise.Conv1x1(tensor.NewCHW(3, 2, 2, nil), mat.NewDense(4, 2, nil), nil) })
		check.Panics(t, "Conv1x1 of 3 channels with weights for 4", func() { pointwise.Conv1x1(tensor.NewCHW(3, 2, 2, nil), mat.NewDense(4, 4, nil), nil) })
		check.Panics(t, "Conv1x1 of 3 channels with weights 3×2, from 2 channels to 3,", func() { pointwise.Conv1x1(tensor.NewCHW(3, 2, 2, nil), mat.NewDense(3, 2, nil), nil) })
		check.Panics(t, "Conv1x1 of 3 channels with weights 3×4, from 4 channels to 3,", func() { pointwise.Conv1x1(tensor.NewCHW(3, 2, 2, nil), mat.NewDense(3, 4, nil), nil) })
		check.Panics(t, "Conv1x1 from 3 to 2 channels with 3 biases", func() {
			pointwise.Conv1x1(tensor.NewCHW(3, 2, 2, nil), mat.NewDense(2, 3, nil), make([]float64, 3))
		})
		check.Panics(t, "Conv1x1 with a bias that is empty, not nil,", func() {
			pointwise.Conv1x1(tensor.NewCHW(2, 2, 2, nil), mat.NewDense(4, 2, nil), []float64{})
		})
		check.Panics(t, "Conv1x1 to 4 channels with 3 biases", func() {
			pointwise.Conv1x1(tensor.NewCHW(2, 2, 2, nil), mat.NewDense(4, 2, nil), make([]float64, 3))
		})
		check.Panics(t, "Conv1x1 to 4 channels with 5 biases", func() {
			pointwise.Conv1x1(tensor.NewCHW(2, 2, 2, nil), mat.NewDense(4, 2, nil), make([]float64, 5))
		})
	})
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{tensor.NewCHW(2, 3, 4, check.Normal(rng, 24, 1)), mat.NewDense(3, 2, check.Normal(rng, 6, 1)), check.Normal(rng, 3, 1)}
	}
	check.Independent(t, "Conv1x1(x, w, bias)", pointwise.Conv1x1, draw(), draw())
}

func TestSqueezed(t *testing.T) {
	defer check.Rescue(t)
	type block struct{ h, w, in, mid, out, kernel int }
	blocks := []block{{28, 28, 192, 16, 32, 5}, {5, 9, 10, 4, 6, 3}, {640, 480, 40_000, 20_000, 30_000, 3}}
	each := func(f func(b block) int) map[string]int {
		out := map[string]int{}
		for _, b := range blocks {
			out[fmt.Sprintf("%d×%d, %d to %d to %d channels, kernel %d×%d", b.h, b.w, b.in, b.mid, b.out, b.kernel, b.kernel)] = f(b)
		}
		return out
	}
	got := each(func(b block) int { return pointwise.Squeezed(b.h, b.w, b.in, b.mid, b.out, b.kernel) })
	check.Equal(t, "Squeezed(h, w, in, mid, out, kernel)", got,
		each(func(b block) int { return b.h * b.w * (b.in*b.mid + b.mid*b.out*b.kernel*b.kernel) }), check.Exact,
		check.Why("in→mid with a 1×1 kernel, then mid→out with a kernel×kernel one"),
		check.Mistake(each(func(b block) int { return b.h * b.w * (b.in*b.mid + b.mid*b.out) }), "you lost the kernel's area in the second convolution"),
		check.Mistake(each(func(b block) int { return b.h * b.w * (b.in*b.mid + b.mid*b.out) * b.kernel * b.kernel }), "you gave the first convolution the large kernel: it is 1×1"),
		check.Mistake(each(func(b block) int { return b.h * b.w * (b.in*b.mid + b.in*b.out*b.kernel*b.kernel) }), "you fed the second convolution with all input channels: it sees mid of them"),
		check.Mistake(each(func(b block) int { return b.h * b.w * (b.in*b.mid*b.kernel*b.kernel + b.mid*b.out) }), "you exchanged the kernels: the 1×1 comes first"),
		check.Mistake(each(func(b block) int { return b.h * b.w * b.mid * b.out * b.kernel * b.kernel }), "you counted the second convolution only"),
		check.Mistake(each(func(b block) int { return b.h * b.w * b.in * b.mid }), "you counted the first convolution only"))

	// weak: cheaper or equal; plain: the second convolution's kernel taken for 1×1; exchanged: the first one's taken for the large kernel.
	cases := []struct{ in, out, kernel, want, weak, plain, exchanged int }{
		{192, 32, 5, 154, 154, 685, 31},
		{256, 256, 3, 230, 230, 1151, 230},
		{4, 4, 1, 1, 2, 1, 1},
		{12, 6, 2, 7, 8, 15, 5},
		{1, 8, 1, 0, 0, 0, 0},
		{7, 2, 3, 5, 5, 13, 1}, // cheaper by a single MAC
		{40_000, 30_000, 3, 34_838, 34_838, 154_285, 27_692},
		{36_000, 4_000, 3, 17_999, 18_000, 32_399, 3_951}, // equal at 18000: a float32 cannot tell
	}
	pick := func(f func(i int) int) map[string]int {
		out := map[string]int{}
		for i, c := range cases {
			out[fmt.Sprintf("%d to %d channels, kernel %d×%d", c.in, c.out, c.kernel, c.kernel)] = f(i)
		}
		return out
	}
	widest := pick(func(i int) int { return pointwise.WidestUsefulMid(cases[i].in, cases[i].out, cases[i].kernel) })
	check.Equal(t, "WidestUsefulMid(in, out, kernel)", widest, pick(func(i int) int { return cases[i].want }), check.Exact,
		check.Why("the largest mid with mid·(in + k²·out) < k²·in·out"),
		check.Mistake(pick(func(i int) int { return cases[i].weak }), "you accepted equal cost: squeezing has to be strictly cheaper"),
		check.Mistake(pick(func(i int) int {
			if cases[i].in == 36_000 {
				return cases[i].weak
			}
			return cases[i].want
		}), "you lost the last digits: 36000·36000 − 1 is no float32; stay with int"),
		check.Mistake(pick(func(i int) int { return cases[i].want + 1 }), "you returned the first mid that no longer pays: the one before it still does"),
		check.Mistake(pick(func(i int) int { return cases[i].plain }), "you took the second convolution for a 1×1: it costs k²·mid·out"),
		check.Mistake(pick(func(i int) int { return cases[i].exchanged }), "you gave k² to the first convolution: it is the second that has the large kernel"),
		check.Mistake(pick(func(i int) int { return min(cases[i].want, cases[i].out) }), "you stopped at the number of output channels: a wider squeeze can still pay"))
	check.Independent(t, "Squeezed(h, w, in, mid, out, kernel)", pointwise.Squeezed, check.Args{5, 9, 10, 4, 6, 3}, check.Args{7, 8, 12, 5, 9, 1})
	check.Independent(t, "WidestUsefulMid(in, out, kernel)", pointwise.WidestUsefulMid, check.Args{192, 32, 5}, check.Args{64, 48, 3})
}

func TestFuse(t *testing.T) {
	defer check.Rescue(t)
	type fuseCase struct {
		Name           string
		W1, B1, W2, B2 check.Array
		X, Y           check.Array
		Square         bool
	}
	for _, c := range check.Golden[fuseCase](t, "fuse") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			// PyTorch ran the two layers on x; the fused weights must give its y at every pixel.
			w1, w2, b1, b2 := c.W1.Dense(), c.W2.Dense(), c.B1.Floats(), c.B2.Floats()
			x := c.X.CHW()
			apply := func(w mat.Matrix, b []float64) tensor.CHW {
				out, _ := w.Dims()
				var y mat.Dense
				y.Mul(w, mat.NewDense(x.C, x.H*x.W, x.Data))
				y.Apply(func(o, _ int, v float64) float64 { return v + b[o] }, &y)
				return tensor.NewCHW(out, x.H, x.W, mat.DenseCopyOf(&y).RawMatrix().Data)
			}
			product := func(a, b mat.Matrix) *mat.Dense {
				var p mat.Dense
				p.Mul(a, b)
				return &p
			}
			carried, added := make([]float64, len(b2)), make([]float64, len(b2))
			for o := range carried {
				carried[o] = mat.Dot(w2.RowView(o), mat.NewVecDense(len(b1), b1))
				added[o] = b2[o] + floats.Sum(b1)
			}
			opts := []check.Option{
				check.Why("w2·(w1·x + b1) + b2"),
				check.Kept("w1", w1, c.W1.Dense()), check.Kept("w2", w2, c.W2.Dense()), check.Kept("b1", b1, c.B1.Floats()), check.Kept("b2", b2, c.B2.Floats()),
				check.Mistake(apply(product(w2, w1), b2), "you dropped b1: the second layer carries it on as w2·b1"),
				check.Mistake(apply(product(w2, w1), carried), "you dropped b2"),
				check.Mistake(apply(product(w2, w1), added), "you added the sum of b1 to every bias: the second layer weighs b1 by its own row of w2"),
				check.Mistake(apply(product(w2, w1), make([]float64, len(b2))), "you dropped both biases"),
			}
			if len(b1) >= len(b2) {
				opts = append(opts, check.Mistake(apply(product(w2, w1), floats.AddTo(make([]float64, len(b2)), b1[:len(b2)], b2)), "you added b1 as it is: the second layer multiplies it by w2"))
			}
			if c.Square {
				opts = append(opts,
					check.Mistake(apply(product(w1, w2), floats.AddTo(make([]float64, len(b2)), carried, b2)), "you multiplied w1·w2: the layer applied last stands on the left"))
			}
			w, b := pointwise.Fuse(w2, b2, w1, b1)
			require.NotNil(t, w, "Fuse must return a matrix")
			rows, columns := w.Dims()
			require.Equal(t, []int{c.Y.Shape[0], x.C, c.Y.Shape[0]}, []int{rows, columns, len(b)}, "rows and columns of w, length of b")
			check.Equal(t, "the fused layer at x", apply(w, b), c.Y.CHW(), check.Tol{Rel: 1e-9, Abs: 1e-11}, opts...)
		})
	}
	t.Run("shapes", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Fuse of 3→2 channels after 4→5", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 2), mat.NewDense(5, 4, nil), make([]float64, 5))
		})
		check.Panics(t, "Fuse of 3→2 channels after 4→5 with 3 biases", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 2), mat.NewDense(5, 4, nil), make([]float64, 3))
		})
		check.Panics(t, "Fuse of 3→2 channels after 4→2", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 2), mat.NewDense(2, 4, nil), make([]float64, 2))
		})
		check.Panics(t, "Fuse with 2 biases for the 3 channels of the first layer", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 2), mat.NewDense(3, 4, nil), make([]float64, 2))
		})
		check.Panics(t, "Fuse with 1 bias for the 2 channels of the second layer", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 1), mat.NewDense(3, 4, nil), make([]float64, 3))
		})
		check.Panics(t, "Fuse with nil for the 3 biases of the first layer", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 2), mat.NewDense(3, 4, nil), nil)
		})
		check.Panics(t, "Fuse with nil for the 2 biases of the second layer", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), nil, mat.NewDense(3, 4, nil), make([]float64, 3))
		})
		check.Panics(t, "Fuse with 4 biases for the 3 channels of the first layer", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 2), mat.NewDense(3, 4, nil), make([]float64, 4))
		})
		check.Panics(t, "Fuse with 3 biases for the 2 channels of the second layer", func() {
			pointwise.Fuse(mat.NewDense(2, 3, nil), make([]float64, 3), mat.NewDense(3, 4, nil), make([]float64, 3))
		})
	})
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{mat.NewDense(2, 3, check.Normal(rng, 6, 1)), check.Normal(rng, 2, 1), mat.NewDense(3, 4, check.Normal(rng, 12, 1)), check.Normal(rng, 3, 1)}
	}
	check.Independent(t, "Fuse(w2, b2, w1, b1)", pointwise.Fuse, draw(), draw())
}

func TestPixelXOR(t *testing.T) {
	defer check.Rescue(t)
	check.Equal(t, "PixelXOR() at (0,0), (0,1), (1,0), (1,1)", xorAtCorners(t), []float64{0, 1, 1, 0}, check.Abs(1e-9),
		check.Mistake([]float64{0, 1, 1, 1}, "you built OR: where both channels are 1 the second unit has to take the first one's output back"),
		check.Mistake([]float64{0, 0, 0, 1}, "you built AND"),
		check.Mistake([]float64{0, 1, 0, 0}, "you let through the second channel less the first: the first less the second needs a unit of its own"),
		check.Mistake([]float64{0, 0, 1, 0}, "you let through the first channel less the second: the second less the first needs a unit of its own"),
		check.Mistake([]float64{1, 0, 0, 1}, "you built XNOR, the complement of XOR"),
		check.Mistake([]float64{0, 1, 1, 2}, "you let both channels add up: where both are 1 the second unit has to take 2 off"))
	check.Independent(t, "PixelXOR()", pointwise.PixelXOR, nil, nil, check.AnyAnswer())
}

// xorAtCorners computes the learner's PixelXOR at the four pairs of bits.
func xorAtCorners(t *testing.T) []float64 {
	t.Helper()
	w1, b1, w2, b2 := pointwise.PixelXOR()
	require.NotNil(t, w1, "PixelXOR's w1 is nil")
	require.NotNil(t, w2, "PixelXOR's w2 is nil")
	mid, in := w1.Dims()
	out, from := w2.Dims()
	require.Equal(t, []int{2, 1, mid, mid, 1}, []int{in, out, from, len(b1), len(b2)}, "columns of w1, rows and columns of w2, lengths of b1 and b2")
	got := make([]float64, 4)
	for k, x := range [][]float64{{0, 0}, {0, 1}, {1, 0}, {1, 1}} {
		got[k] = b2[0]
		for m := range mid {
			got[k] += w2.At(0, m) * max(w1.At(m, 0)*x[0]+w1.At(m, 1)*x[1]+b1[m], 0)
		}
	}
	return got
}
