package pooling_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	pooling "whyhow/katas/q02-pooling"
)

// wrong is the value that a mistake gives, nil where it cannot be told from the right one or from another's, and the mistake's name.
type wrong struct {
	value *check.Array
	says  string
}

func mistakes(list ...wrong) []check.Option {
	var opts []check.Option
	for _, m := range list {
		switch {
		case m.value == nil:
		case len(m.value.Shape) == 1:
			opts = append(opts, check.Mistake(m.value.Floats(), m.says))
		default:
			opts = append(opts, check.Mistake(m.value.CHW(), m.says))
		}
	}
	return opts
}

// pooled is pooling by definition, written for the tests: reduce gets the values of one window in scan order.
func pooled(x tensor.CHW, size, stride int, reduce func(window []float64) float64) tensor.CHW {
	y := tensor.NewCHW(x.C, (x.H-size)/stride+1, (x.W-size)/stride+1, nil)
	for i := range y.Data {
		c, top, left := i/(y.H*y.W), i/y.W%y.H*stride, i%y.W*stride
		var window []float64
		for k := range size * size {
			window = append(window, x.At(c, top+k/size, left+k%size))
		}
		y.Data[i] = reduce(window)
	}
	return y
}

func largest(window []float64) float64 {
	m := math.Inf(-1)
	for _, v := range window {
		m = math.Max(m, v)
	}
	return m
}

func mean(window []float64) float64 {
	sum := 0.0
	for _, v := range window {
		sum += v
	}
	return sum / float64(len(window))
}

// weighed is the sum of y, weighed by dy: a loss whose gradient with respect to y is dy.
func weighed(y, dy tensor.CHW) float64 {
	sum := 0.0
	for i, v := range y.Data {
		sum += v * dy.Data[i]
	}
	return sum
}

// apart returns a map whose values are 0.1 and more apart, so that no maximum changes while a gradient is measured.
func apart(c, h, w int, rng *rand.Rand) tensor.CHW {
	x := tensor.NewCHW(c, h, w, nil)
	for i, k := range rng.Perm(len(x.Data)) {
		x.Data[i] = 0.1*float64(k-len(x.Data)/2) + 0.01*rng.Float64()
	}
	return x
}

func normal(c, h, w int, rng *rand.Rand) tensor.CHW {
	return tensor.NewCHW(c, h, w, check.Normal(rng, c*h*w, 1))
}

// mustPanic holds pool to the panics that all four poolings share.
func mustPanic(t *testing.T, name string, pool func(x tensor.CHW, size, stride int)) {
	t.Helper()
	x := tensor.NewCHW(2, 5, 3, nil)
	check.Panics(t, name+" of a 5×3 map with size 4", func() { pool(x, 4, 1) })
	check.Panics(t, name+" of a 3×5 map with size 4", func() { pool(tensor.NewCHW(2, 3, 5, nil), 4, 1) })
	check.Panics(t, name+" with size 0", func() { pool(x, 0, 1) })
	check.Panics(t, name+" with stride 0", func() { pool(x, 2, 0) })
}

// mustFit holds backward to the shape of dy, which may differ along one axis alone.
func mustFit(t *testing.T, name string, backward func(x, dy tensor.CHW, size, stride int)) {
	t.Helper()
	x := tensor.NewCHW(2, 7, 5, nil)
	for _, dy := range []tensor.CHW{
		tensor.NewCHW(1, 3, 2, nil), tensor.NewCHW(3, 3, 2, nil), tensor.NewCHW(2, 2, 2, nil), tensor.NewCHW(2, 4, 2, nil),
		tensor.NewCHW(2, 3, 1, nil), tensor.NewCHW(2, 3, 3, nil), tensor.NewCHW(2, 2, 3, nil), tensor.NewCHW(2, 7, 5, nil),
	} {
		check.Panics(t, fmt.Sprintf("%s of a 2×7×5 map, size 2, stride 2, with a dy of %d×%d×%d", name, dy.C, dy.H, dy.W), func() { backward(x, dy, 2, 2) })
	}
}

type maxCase struct {
	Name                                    string
	X                                       check.Array
	Size, Stride                            int
	Y                                       check.Array
	Mean, Clamped, Smallest, Ceiled, Turned *check.Array
}

// otherWindows are what reduce makes of other windows, where size and stride differ by enough to tell.
func otherWindows(x tensor.CHW, size, stride int, reduce func(window []float64) float64) (opts []check.Option) {
	if size > 1 && stride > 1 {
		opts = append(opts, check.Mistake(pooled(x, size, 1, reduce), "you moved by one pixel: window (i, j) begins at row i·stride, column j·stride"))
	}
	if size > 1 && stride != size {
		opts = append(opts, check.Mistake(pooled(x, size, size, reduce), "you moved by a whole window: window (i, j) begins at row i·stride, column j·stride"))
	}
	if stride > 1 && stride != size {
		opts = append(opts, check.Mistake(pooled(x, stride, stride, reduce), "you took windows of stride×stride: they are size×size"))
	}
	if x.C > 1 {
		last := tensor.NewCHW(x.C, x.H, x.W, nil) // x as if its channels were the last axis
		for i := range last.Data {
			last.Data[i] = x.Data[i%(x.H*x.W)*x.C+i/(x.H*x.W)]
		}
		y := pooled(last, size, stride, reduce)
		back := y.Clone()
		for i := range back.Data {
			back.Data[i%(y.H*y.W)*y.C+i/(y.H*y.W)] = y.Data[i]
		}
		opts = append(opts, check.Mistake(back, "you read Data as rows, columns, channels: in a CHW the channel comes first"))
	}
	return opts
}

func TestMax(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[maxCase](t, "max") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.CHW()
			got := pooling.Max(x, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("Max(x, %d, %d)", c.Size, c.Stride), got, c.Y.CHW(), check.Exact, append(append(mistakes(
				wrong{c.Mean, "you took the mean: max pooling keeps the largest value of a window"},
				wrong{c.Clamped, "you started the maximum at 0: a window may hold nothing but negative values"},
				wrong{c.Smallest, "you kept the smallest value"},
				wrong{c.Ceiled, "you rounded the size up: a window that hangs over the edge is dropped"},
				wrong{c.Turned, "you swapped rows and columns"},
			), otherWindows(x, c.Size, c.Stride, largest)...), check.Kept("x", x, c.X.CHW()), check.Why("the largest value of every whole window"))...)
		})
	}
	t.Run("windows that do not fit", func(t *testing.T) {
		defer check.Rescue(t)
		mustPanic(t, "Max", func(x tensor.CHW, size, stride int) { pooling.Max(x, size, stride) })
	})
	rng := check.Rand(t)
	check.Independent(t, "Max(x, 2, 1)", pooling.Max, check.Args{normal(2, 5, 4, rng), 2, 1}, check.Args{normal(2, 5, 4, rng), 2, 1})
	check.Independent(t, "Max(x, 1, 1)", pooling.Max, check.Args{normal(2, 5, 4, rng), 1, 1}, check.Args{normal(2, 5, 4, rng), 1, 1})
}

type maxBackwardCase struct {
	Name                                  string
	X, Dy                                 check.Array
	Size, Stride                          int
	Dx                                    check.Array
	Last, All, Split, Spread, Overwritten *check.Array
}

// negativeSkipped names the gradient that gives nothing to windows of negative values, if the case has such windows.
func negativeSkipped(c maxBackwardCase) []check.Option {
	x, dy, dx := c.X.CHW(), c.Dy.CHW(), tensor.NewCHW(c.X.Shape[0], c.X.Shape[1], c.X.Shape[2], nil)
	skipped := 0
	for i, most := range pooled(x, c.Size, c.Stride, largest).Data {
		if most < 0 {
			skipped++
			continue
		}
		channel, top, left := i/(dy.H*dy.W), i/dy.W%dy.H*c.Stride, i%dy.W*c.Stride
		for k := range c.Size * c.Size {
			if row, column := top+k/c.Size, left+k%c.Size; x.At(channel, row, column) == most {
				dx.Set(channel, row, column, dx.At(channel, row, column)+dy.Data[i])
				break
			}
		}
	}
	if skipped == 0 {
		return nil
	}
	return []check.Option{check.Mistake(dx, "you gave nothing to a window of negative values: its maximum is below 0, and takes dy all the same")}
}

func TestMaxBackward(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[maxBackwardCase](t, "maxBackward") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, dy := c.X.CHW(), c.Dy.CHW()
			got := pooling.MaxBackward(x, dy, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("MaxBackward(x, dy, %d, %d)", c.Size, c.Stride), got, c.Dx.CHW(), check.Rel(1e-11), append(append(mistakes(
				wrong{c.Last, "you gave it to the last of equal values: the first in scan order takes it"},
				wrong{c.All, "you gave it to every one of equal values: only the first takes it"},
				wrong{c.Split, "you split it among equal values: the first takes it all"},
				wrong{c.Spread, "you spread it over the whole window: that is average pooling; only the largest value moves the maximum"},
				wrong{c.Overwritten, "you overwrote where windows overlap: a pixel collects from every window that it wins"},
			), negativeSkipped(c)...), check.Kept("x", x, c.X.CHW()), check.Kept("dy", dy, c.Dy.CHW()), check.Why("PyTorch's gradient of the same pooling"))...)
		})
	}
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		for _, size := range []int{2, 3} {
			x := apart(2, 7, 5, rng)
			dy := normal(2, (7-size)/2+1, (5-size)/2+1, rng)
			check.Gradient(t, fmt.Sprintf("MaxBackward(x, dy, %d, 2)", size), pooling.MaxBackward(check.Copy(x), check.Copy(dy), size, 2), x,
				func() float64 { return weighed(pooled(x, size, 2, largest), dy) })
		}
	})
	t.Run("shapes that do not fit", func(t *testing.T) {
		defer check.Rescue(t)
		mustPanic(t, "MaxBackward", func(x tensor.CHW, size, stride int) {
			pooling.MaxBackward(x, tensor.NewCHW(2, 1, 1, nil), size, stride)
		})
		mustFit(t, "MaxBackward", func(x, dy tensor.CHW, size, stride int) { pooling.MaxBackward(x, dy, size, stride) })
	})
	rng := check.Rand(t)
	check.Independent(t, "MaxBackward(x, dy, 2, 1)", pooling.MaxBackward,
		check.Args{normal(2, 5, 4, rng), normal(2, 4, 3, rng), 2, 1}, check.Args{normal(2, 5, 4, rng), normal(2, 4, 3, rng), 2, 1})
}

type averageCase struct {
	Name                                         string
	X, Dy                                        check.Array
	Size, Stride                                 int
	Y, Dx                                        check.Array
	ByStride, Sum, BySide                        *check.Array // of y
	DUndivided, DByStride, DBySide, DOverwritten *check.Array // of dx
}

type globalCase struct {
	Name                    string
	X, Y                    check.Array
	Largest, ByRows, Across *check.Array
}

func TestAverage(t *testing.T) {
	defer check.Rescue(t)
	const (
		byStride    = "you divided by stride²: a window has size² values"
		bySide      = "you divided by size: a window has size² values"
		overwritten = "you overwrote where windows overlap: a pixel collects from every window that it is in"
	)
	for _, c := range check.Golden[averageCase](t, "average") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, dy := c.X.CHW(), c.Dy.CHW()
			got := pooling.Average(x, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("Average(x, %d, %d)", c.Size, c.Stride), got, c.Y.CHW(), check.Rel(1e-11), append(append(mistakes(
				wrong{c.ByStride, byStride},
				wrong{c.Sum, "you added up and did not divide"},
				wrong{c.BySide, bySide},
			), otherWindows(x, c.Size, c.Stride, mean)...), check.Kept("x", x, c.X.CHW()), check.Why("the mean of every whole window"))...)
			got = pooling.AverageBackward(x, dy, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("AverageBackward(x, dy, %d, %d)", c.Size, c.Stride), got, c.Dx.CHW(), check.Rel(1e-11), append(mistakes(
				wrong{c.DUndivided, "you gave every pixel the whole of dy: each has 1/size² of a say in the mean"},
				wrong{c.DByStride, byStride},
				wrong{c.DBySide, bySide},
				wrong{c.DOverwritten, overwritten},
			), check.Kept("x", x, c.X.CHW()), check.Kept("dy", dy, c.Dy.CHW()), check.Why("PyTorch's gradient of the same pooling"))...)
		})
	}
	t.Run("central differences", func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		for _, size := range []int{2, 3} {
			x, dy := normal(2, 7, 5, rng), normal(2, (7-size)/2+1, (5-size)/2+1, rng)
			check.Gradient(t, fmt.Sprintf("AverageBackward(x, dy, %d, 2)", size), pooling.AverageBackward(check.Copy(x), check.Copy(dy), size, 2), x,
				func() float64 { return weighed(pooled(x, size, 2, mean), dy) })
		}
	})
	t.Run("shapes that do not fit", func(t *testing.T) {
		defer check.Rescue(t)
		mustPanic(t, "Average", func(x tensor.CHW, size, stride int) { pooling.Average(x, size, stride) })
		mustPanic(t, "AverageBackward", func(x tensor.CHW, size, stride int) {
			pooling.AverageBackward(x, tensor.NewCHW(2, 1, 1, nil), size, stride)
		})
		mustFit(t, "AverageBackward", func(x, dy tensor.CHW, size, stride int) { pooling.AverageBackward(x, dy, size, stride) })
	})
	t.Run("one window for all", func(t *testing.T) {
		defer check.Rescue(t)
		for _, c := range check.Golden[globalCase](t, "globalAverage") {
			x := c.X.CHW()
			got := pooling.GlobalAverage(x)
			opts := []check.Option{check.Kept("x", x, c.X.CHW()), check.Why("one mean a channel, over all its pixels")}
			if x.C > 1 {
				opts = append(opts, check.Mistake([]float64{mean(c.X.Data)}, "you took one mean of all channels: each has a mean of its own"))
			}
			check.Equal(t, "GlobalAverage(x), "+c.Name, got, c.Y.Floats(), check.Rel(1e-11), append(opts, mistakes(
				wrong{c.Largest, "you took the largest value of a channel: global average pooling takes the mean"},
				wrong{c.ByRows, "you divided by one side: a channel has H·W values"},
				wrong{c.Across, "you averaged over the channels: each channel keeps a mean of its own"},
			)...)...)
		}
		check.Panics(t, "GlobalAverage of a 2×0×3 map", func() { pooling.GlobalAverage(tensor.NewCHW(2, 0, 3, nil)) })
		check.Panics(t, "GlobalAverage of a 2×3×0 map", func() { pooling.GlobalAverage(tensor.NewCHW(2, 3, 0, nil)) })
	})
	rng := check.Rand(t)
	check.Independent(t, "Average(x, 2, 1)", pooling.Average, check.Args{normal(2, 5, 4, rng), 2, 1}, check.Args{normal(2, 5, 4, rng), 2, 1})
	check.Independent(t, "Average(x, 1, 1)", pooling.Average, check.Args{normal(2, 5, 4, rng), 1, 1}, check.Args{normal(2, 5, 4, rng), 1, 1})
	x := normal(2, 5, 4, rng) // of it only the shape counts in AverageBackward
	check.Independent(t, "AverageBackward(x, dy, 2, 1)", pooling.AverageBackward, check.Args{x, normal(2, 4, 3, rng), 2, 1}, check.Args{x, normal(2, 4, 3, rng), 2, 1})
	check.Independent(t, "GlobalAverage(x)", pooling.GlobalAverage, check.Args{normal(3, 4, 5, rng)}, check.Args{normal(3, 4, 5, rng)})
}

type kernelCase struct {
	Channels, Size int
	Kernel         check.Array
}

func TestAverageKernel(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[kernelCase](t, "averageKernel") {
		want := c.Kernel.OIHW()
		filled := func(v float64) tensor.OIHW {
			w := want.Clone()
			for i := range w.Data {
				w.Data[i] = v
			}
			return w
		}
		scaled := func(by float64) tensor.OIHW {
			w := want.Clone()
			for i := range w.Data {
				w.Data[i] *= by
			}
			return w
		}
		taps := float64(c.Size * c.Size)
		opts := []check.Option{
			check.Why("the derivative of PyTorch's average pooling by the pixels of a window"),
			check.Mistake(scaled(taps), "you left the division out: the taps of a channel sum to 1"),
			check.Mistake(scaled(float64(c.Size)), "you divided by size: a window has size² values"),
		}
		if c.Channels > 1 {
			opts = append(opts,
				check.Mistake(filled(1/taps), "you connected every pair of channels: pooling treats each channel alone, so the kernel is 0 between different ones"),
				check.Mistake(filled(1/taps/float64(c.Channels)), "you averaged over the channels too: pooling treats each channel alone"),
				check.Mistake(tensor.NewOIHW(c.Channels, 1, c.Size, c.Size, filled(1 / taps).Data[:c.Channels*c.Size*c.Size]),
					"you wrote the kernel of a depthwise convolution: a plain one has a tap for every pair of channels"))
		}
		got := pooling.AverageKernel(c.Channels, c.Size)
		check.Equal(t, fmt.Sprintf("AverageKernel(%d, %d)", c.Channels, c.Size), got, want, check.Rel(1e-12), opts...)
	}
	check.Panics(t, "AverageKernel(0, 2)", func() { pooling.AverageKernel(0, 2) })
	check.Panics(t, "AverageKernel(2, 0)", func() { pooling.AverageKernel(2, 0) })
	check.Panics(t, "AverageKernel(-2, -2)", func() { pooling.AverageKernel(-2, -2) })
	check.Independent(t, "AverageKernel(channels, size)", pooling.AverageKernel, check.Args{2, 3}, check.Args{3, 2})
}

type weightsCase struct{ H, W, Channels, Pools, Units, Weights int }

func TestLossAndGain(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[weightsCase](t, "firstDenseWeights")
	each := func(f func(c weightsCase) int) map[string]int {
		out := map[string]int{}
		for _, c := range cases {
			out[fmt.Sprintf("h %d, w %d, channels %d, pools %d, units %d", c.H, c.W, c.Channels, c.Pools, c.Units)] = f(c)
		}
		return out
	}
	// sides counts the weights behind a map of the sides that halve makes.
	sides := func(halve func(h, w int) (int, int)) map[string]int {
		return each(func(c weightsCase) int {
			h, w := c.H, c.W
			for range c.Pools {
				h, w = halve(h, w)
			}
			return h * w * c.Channels * c.Units
		})
	}
	const (
		oneSide   = "you halved one side only"
		quartered = "you quartered the number of values: each side is halved, and rounded down, at every pooling"
	)
	check.Equal(t, "FirstDenseWeights(h, w, channels, pools, units)", each(func(c weightsCase) int { return pooling.FirstDenseWeights(c.H, c.W, c.Channels, c.Pools, c.Units) }),
		each(func(c weightsCase) int { return c.Weights }), check.Exact,
		check.Why("the weights of a layer that PyTorch puts behind the same poolings"),
		check.Mistake(sides(func(h, w int) (int, int) { return (h + 1) / 2, (w + 1) / 2 }), "you rounded up: a row or column that fills no window is dropped"),
		check.Mistake(sides(func(h, w int) (int, int) { return h / 2, w }), oneSide),
		check.Mistake(sides(func(h, w int) (int, int) { return h, w / 2 }), oneSide),
		check.Mistake(each(func(c weightsCase) int { return c.Weights + c.Units }), "you counted the biases too"),
		check.Mistake(each(func(c weightsCase) int { return c.Weights / c.Channels }), "you left the channels out: each is flattened too"),
		check.Mistake(each(func(c weightsCase) int { return c.Weights / c.Units }), "you left the units out: each has a weight for every value"),
		check.Mistake(each(func(c weightsCase) int { return c.Weights << c.Pools }), "you doubled the channels at every pooling: pooling keeps their number"),
		check.Mistake(each(func(c weightsCase) int { return c.H * c.W * c.Channels * c.Units }), "you left the pooling out"),
		check.Mistake(each(func(c weightsCase) int {
			if c.Pools == 0 {
				return c.Weights
			}
			return (c.H / 2) * (c.W / 2) * c.Channels * c.Units
		}), "you pooled once only"),
		check.Mistake(each(func(c weightsCase) int { return (c.H >> (2 * c.Pools)) * (c.W >> (2 * c.Pools)) * c.Channels * c.Units }),
			"you quartered each side: it is halved"),
		check.Mistake(each(func(c weightsCase) int { return c.H * c.W * c.Channels * c.Units >> (2 * c.Pools) }), quartered),
		check.Mistake(each(func(c weightsCase) int { return c.H * c.W >> (2 * c.Pools) * c.Channels * c.Units }), quartered))
	check.Panics(t, "FirstDenseWeights(8, 8, 3, -1, 10)", func() { pooling.FirstDenseWeights(8, 8, 3, -1, 10) })
	check.Panics(t, "FirstDenseWeights(8, 3, 3, 2, 10)", func() { pooling.FirstDenseWeights(8, 3, 3, 2, 10) })
	check.Panics(t, "FirstDenseWeights(3, 8, 3, 2, 10)", func() { pooling.FirstDenseWeights(3, 8, 3, 2, 10) })
	check.Panics(t, "FirstDenseWeights(8, 8, 3, 1, 0)", func() { pooling.FirstDenseWeights(8, 8, 3, 1, 0) })
	check.Panics(t, "FirstDenseWeights(0, 8, 3, 0, 10)", func() { pooling.FirstDenseWeights(0, 8, 3, 0, 10) })
	check.Panics(t, "FirstDenseWeights(8, 8, 0, 1, 10)", func() { pooling.FirstDenseWeights(8, 8, 0, 1, 10) })
	check.Panics(t, "FirstDenseWeights(8, 0, 3, 0, 10)", func() { pooling.FirstDenseWeights(8, 0, 3, 0, 10) })
	check.Independent(t, "FirstDenseWeights(h, w, channels, pools, units)", pooling.FirstDenseWeights, check.Args{32, 30, 3, 2, 10}, check.Args{48, 40, 5, 3, 11})

	a, b := pooling.Confusable()
	for _, x := range []tensor.CHW{a, b} {
		require.Equal(t, []int{1, 4, 4, 16}, []int{x.C, x.H, x.W, len(x.Data)}, "Confusable() returns an image of another shape than 1×4×4 (C, H, W, values)")
		for _, v := range x.Data {
			require.False(t, math.IsNaN(v) || math.IsInf(v, 0), "Confusable() returns an image with the value %v, want finite values", v)
		}
	}
	require.False(t, a.Equal(b), "Confusable() returns the same image twice, want two that differ somewhere")
	check.Equal(t, "the 2×2 max pooling of Confusable()'s a", pooled(a, 2, 2, largest), pooled(b, 2, 2, largest), check.Exact,
		check.Why("b's, shown as wanted, must be the same: move a value within its window"), check.With("a", a), check.With("b", b))
	check.Independent(t, "Confusable()", pooling.Confusable, nil, nil, check.AnyAnswer())
}
