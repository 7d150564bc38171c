package pooling_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"gonum.org/v1/gonum/floats"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	pooling "whyhow/katas/q02-pooling"
)

// wrong is the map that a mistake gives, and the mistake's name.
type wrong = check.Reading[tensor.CHW]

// golden is a mistake of a golden case. Its value is nil where it cannot be told from the right one or from another's.
func golden(value *check.Array, says string) []wrong {
	if value == nil {
		return nil
	}
	return []wrong{check.Reads(value.CHW(), says)}
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

func largestMagnitude(window []float64) float64 {
	most := 0.0
	for _, v := range window {
		if math.Abs(v) > math.Abs(most) {
			most = v
		}
	}
	return most
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
	x := tensor.NewCHW(2, 9, 3, nil)
	check.Panics(t, name+" of a 9×3 map with size 4", func() { pool(x, 4, 1) })
	check.Panics(t, name+" of a 3×9 map with size 4", func() { pool(tensor.NewCHW(2, 3, 9, nil), 4, 1) })
	check.Panics(t, name+" of a 3×3 map with size 4 and stride 4", func() { pool(tensor.NewCHW(2, 3, 3, nil), 4, 4) })
	for _, wrong := range []int{0, -1} {
		check.Panics(t, fmt.Sprintf("%s with size %d", name, wrong), func() { pool(x, wrong, 1) })
		check.Panics(t, fmt.Sprintf("%s with stride %d", name, wrong), func() { pool(x, 2, wrong) })
	}
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

// takesOnePixel holds pool to windows of one pixel, which is their value.
func takesOnePixel(t *testing.T, name string, pool func(x tensor.CHW, size, stride int) tensor.CHW) {
	t.Helper()
	t.Run("windows of one pixel, "+name, func(t *testing.T) {
		defer check.Rescue(t)
		for stride := 1; stride <= 3; stride++ {
			x := normal(2, 5, 4, check.Rand(t))
			check.Equal(t, fmt.Sprintf("%s(x, 1, %d)", name, stride), pool(check.Copy(x), 1, stride), pooled(x, 1, stride, mean), check.Rel(1e-11),
				check.With("x", x), check.Why("a window of one pixel has its value"))
		}
	})
}

// givesOnePixel holds backward to windows of one pixel: dy goes to the pixel that was taken, the skipped ones get nothing.
func givesOnePixel(t *testing.T, name string, backward func(x, dy tensor.CHW, size, stride int) tensor.CHW) {
	t.Helper()
	t.Run("windows of one pixel, "+name, func(t *testing.T) {
		defer check.Rescue(t)
		rng := check.Rand(t)
		for stride := 1; stride <= 3; stride++ {
			x := normal(2, 5, 4, rng)
			want, dy := tensor.NewCHW(2, 5, 4, nil), normal(2, 4/stride+1, 3/stride+1, rng)
			for i, v := range dy.Data {
				want.Set(i/(dy.H*dy.W), i/dy.W%dy.H*stride, i%dy.W*stride, v)
			}
			check.Equal(t, fmt.Sprintf("%s(x, dy, 1, %d)", name, stride), backward(x, check.Copy(dy), 1, stride), want, check.Rel(1e-11),
				check.With("dy", dy), check.Why("a window of one pixel hands it the whole of dy"))
		}
	})
}

type maxCase struct {
	Name                                    string
	X                                       check.Array
	Size, Stride                            int
	Y                                       check.Array
	Mean, Clamped, Smallest, Ceiled, Turned *check.Array
}

// otherWindows are what reduce makes of other windows.
func otherWindows(x tensor.CHW, size, stride int, reduce func(window []float64) float64) (list []wrong) {
	list = []wrong{
		check.Reads(pooled(x, size, 1, reduce), "you moved by one pixel: window (i, j) begins at row i·stride, column j·stride"),
		check.Reads(pooled(x, size, size, reduce), "you moved by a whole window: window (i, j) begins at row i·stride, column j·stride"),
	}
	if stride <= min(x.H, x.W) {
		list = append(list, check.Reads(pooled(x, stride, stride, reduce), "you took windows of stride×stride: they are size×size"))
	}
	last := tensor.NewCHW(x.C, x.H, x.W, nil) // x as if its channels were the last axis
	for i := range last.Data {
		last.Data[i] = x.Data[i%(x.H*x.W)*x.C+i/(x.H*x.W)]
	}
	y := pooled(last, size, stride, reduce)
	back := y.Clone()
	for i := range back.Data {
		back.Data[i%(y.H*y.W)*y.C+i/(y.H*y.W)] = y.Data[i]
	}
	return append(list, check.Reads(back, "you read Data as rows, columns, channels: in a CHW the channel comes first"))
}

func TestMax(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[maxCase](t, "max")
	names := check.Consistent(cases, check.Exact, func(c maxCase) tensor.CHW { return pooling.Max(c.X.CHW(), c.Size, c.Stride) }, func(c maxCase) tensor.CHW { return c.Y.CHW() },
		func(c maxCase) []wrong {
			return append(slices.Concat(
				golden(c.Mean, "you took the mean: max pooling keeps the largest value of a window"),
				golden(c.Clamped, "you started the maximum at 0: a window may hold nothing but negative values"),
				golden(c.Smallest, "you kept the smallest value"),
				golden(c.Ceiled, "you rounded the size up: a window that hangs over the edge is dropped"),
				golden(c.Turned, "you swapped rows and columns"),
				otherWindows(c.X.CHW(), c.Size, c.Stride, largest)),
				check.Reads(pooled(c.X.CHW(), c.Size, c.Stride, largestMagnitude), "you compared magnitudes: −3 is less than 1"))
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x := c.X.CHW()
			got := pooling.Max(x, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("Max(x, %d, %d)", c.Size, c.Stride), got, c.Y.CHW(), check.Exact,
				append(names[i], check.Kept("x", x, c.X.CHW()), check.Why("the largest value of every whole window"))...)
		})
	}
	t.Run("windows of very small values", func(t *testing.T) {
		defer check.Rescue(t)
		x := verySmall()
		opts := []check.Option{check.With("x", x), check.Why("the largest value of a window is one of its values, however small")}
		for _, start := range []float64{-math.MaxFloat64, -math.MaxFloat32, math.MinInt64, math.MinInt32, -1e100, -1e30, -1e20, -1e12, -1e10, -1e9, -1e8, -1e6, -1e5, -1e4, -1e3, -100, -1} {
			opts = append(opts, check.Mistake(pooled(x, 2, 2, func(window []float64) float64 { return max(start, largest(window)) }),
				"you started the maximum at a number: a window may hold nothing but smaller values"))
		}
		check.Equal(t, "Max(x, 2, 2)", pooling.Max(check.Copy(x), 2, 2), tensor.NewCHW(1, 1, 2, []float64{-1e300, math.Inf(-1)}), check.Exact, opts...)
	})
	takesOnePixel(t, "Max", pooling.Max)
	t.Run("windows that do not fit", func(t *testing.T) {
		defer check.Rescue(t)
		mustPanic(t, "Max", func(x tensor.CHW, size, stride int) { pooling.Max(x, size, stride) })
	})
	rng := check.Rand(t)
	check.Independent(t, "Max(x, 2, 1)", pooling.Max, check.Args{normal(2, 5, 4, rng), 2, 1}, check.Args{normal(2, 5, 4, rng), 2, 1})
	check.Independent(t, "Max(x, 1, 1)", pooling.Max, check.Args{normal(2, 5, 4, rng), 1, 1}, check.Args{normal(2, 5, 4, rng), 1, 1})
}

// verySmall returns two 2×2 windows: one holds nothing but −∞.
func verySmall() tensor.CHW {
	return tensor.NewCHW(1, 2, 4, []float64{-1e305, math.Inf(-1), math.Inf(-1), math.Inf(-1), -1e300, -math.MaxFloat64, math.Inf(-1), math.Inf(-1)})
}

type maxBackwardCase struct {
	Name                                  string
	X, Dy                                 check.Array
	Size, Stride                          int
	Dx                                    check.Array
	Last, All, Split, Spread, Overwritten *check.Array
}

// scannedByColumns names the gradient that goes to the first of equal values column by column.
func scannedByColumns(c maxBackwardCase) []wrong {
	x, dy := c.X.CHW(), c.Dy.CHW()
	dx := tensor.NewCHW(x.C, x.H, x.W, nil)
	for i, most := range pooled(x, c.Size, c.Stride, largest).Data {
		channel, top, left := i/(dy.H*dy.W), i/dy.W%dy.H*c.Stride, i%dy.W*c.Stride
		for k := range c.Size * c.Size {
			if row, column := top+k%c.Size, left+k/c.Size; x.At(channel, row, column) == most {
				dx.Set(channel, row, column, dx.At(channel, row, column)+dy.Data[i])
				break
			}
		}
	}
	return []wrong{check.Reads(dx, "you scanned the window column by column: scan order is row by row")}
}

// negativeSkipped names the gradient that gives nothing to windows of negative values.
func negativeSkipped(c maxBackwardCase) []wrong {
	x, dy, dx := c.X.CHW(), c.Dy.CHW(), tensor.NewCHW(c.X.Shape[0], c.X.Shape[1], c.X.Shape[2], nil)
	for i, most := range pooled(x, c.Size, c.Stride, largest).Data {
		if most < 0 {
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
	return []wrong{check.Reads(dx, "you gave nothing to a window of negative values: its maximum is below 0, and takes dy all the same")}
}

func TestMaxBackward(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[maxBackwardCase](t, "maxBackward")
	names := check.Consistent(cases, check.Rel(1e-11), func(c maxBackwardCase) tensor.CHW {
		return pooling.MaxBackward(c.X.CHW(), c.Dy.CHW(), c.Size, c.Stride)
	},
		func(c maxBackwardCase) tensor.CHW { return c.Dx.CHW() },
		func(c maxBackwardCase) []wrong {
			return slices.Concat(
				golden(c.Last, "you gave it to the last of equal values: the first in scan order takes it"),
				golden(c.All, "you gave it to every one of equal values: only the first takes it"),
				golden(c.Split, "you split it among equal values: the first takes it all"),
				golden(c.Spread, "you spread it over the whole window: that is average pooling; only the largest value moves the maximum"),
				golden(c.Overwritten, "you overwrote where windows overlap: a pixel collects from every window that it wins"),
				scannedByColumns(c), negativeSkipped(c))
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, dy := c.X.CHW(), c.Dy.CHW()
			got := pooling.MaxBackward(x, dy, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("MaxBackward(x, dy, %d, %d)", c.Size, c.Stride), got, c.Dx.CHW(), check.Rel(1e-11), append(names[i], check.Kept("x", x, c.X.CHW()), check.Kept("dy", dy, c.Dy.CHW()), check.Why("PyTorch's gradient of the same pooling"))...)
		})
	}
	if !t.Failed() { // a pixel that is chosen without looking gives the same
		t.Run("windows of very small values, and of values that are nearly equal", func(t *testing.T) {
			defer check.Rescue(t)
			x, dy := verySmall(), tensor.NewCHW(1, 1, 2, []float64{3, 5})
			check.Equal(t, "MaxBackward(x, dy, 2, 2)", pooling.MaxBackward(check.Copy(x), check.Copy(dy), 2, 2), tensor.NewCHW(1, 2, 4, []float64{0, 0, 5, 0, 3, 0, 0, 0}),
				check.Exact, check.With("x", x), check.With("dy", dy), check.Why("−1e300 takes 3, the first of four −∞ takes 5"),
				check.Mistake(tensor.NewCHW(1, 2, 4, []float64{5, 0, 0, 0, 3, 0, 0, 0}), "you found no maximum among −∞, and took the first pixel of the map: start with a pixel of the window"))
			x = tensor.NewCHW(1, 2, 4, []float64{1, 1 - 1e-12, 1e-300, 2e-300, 1 + 1e-15, 1 + 1e-12, 0, -1})
			check.Equal(t, "MaxBackward(x, dy, 2, 2)", pooling.MaxBackward(check.Copy(x), check.Copy(dy), 2, 2), tensor.NewCHW(1, 2, 4, []float64{0, 0, 0, 5, 0, 3, 0, 0}),
				check.Exact, check.With("x", x), check.With("dy", dy), check.Why("1 + 1e-12 takes 3, 2e-300 takes 5: only values that are equal tie"),
				check.Mistake(tensor.NewCHW(1, 2, 4, []float64{3, 0, 5, 0, 0, 0, 0, 0}), "you took values for equal that are nearly so: only equal ones tie"))
		})
	}
	givesOnePixel(t, "MaxBackward", pooling.MaxBackward)
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
	x := normal(2, 5, 4, rng) // of it only the shape counts where a window is one pixel
	check.Independent(t, "MaxBackward(x, dy, 1, 1)", pooling.MaxBackward, check.Args{x, normal(2, 5, 4, rng), 1, 1}, check.Args{x, normal(2, 5, 4, rng), 1, 1})
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
	Name string
	X, Y check.Array
}

func scaled(by float64, v []float64) []float64 { return floats.ScaleTo(make([]float64, len(v)), by, v) }

func TestAverage(t *testing.T) {
	defer check.Rescue(t)
	const (
		byStride    = "you divided by stride²: a window has size² values"
		bySide      = "you divided by size: a window has size² values"
		overwritten = "you overwrote where windows overlap: a pixel collects from every window that it is in"
	)
	cases := check.Golden[averageCase](t, "average")
	names := check.Consistent(cases, check.Rel(1e-11), func(c averageCase) tensor.CHW { return pooling.Average(c.X.CHW(), c.Size, c.Stride) },
		func(c averageCase) tensor.CHW { return c.Y.CHW() },
		func(c averageCase) []wrong {
			return slices.Concat(golden(c.ByStride, byStride), golden(c.Sum, "you added up and did not divide"), golden(c.BySide, bySide),
				otherWindows(c.X.CHW(), c.Size, c.Stride, mean))
		})
	backward := check.Consistent(cases, check.Rel(1e-11), func(c averageCase) tensor.CHW {
		return pooling.AverageBackward(c.X.CHW(), c.Dy.CHW(), c.Size, c.Stride)
	},
		func(c averageCase) tensor.CHW { return c.Dx.CHW() },
		func(c averageCase) []wrong {
			return slices.Concat(golden(c.DUndivided, "you gave every pixel the whole of dy: each has 1/size² of a say in the mean"),
				golden(c.DByStride, byStride), golden(c.DBySide, bySide), golden(c.DOverwritten, overwritten))
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, dy := c.X.CHW(), c.Dy.CHW()
			got := pooling.Average(x, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("Average(x, %d, %d)", c.Size, c.Stride), got, c.Y.CHW(), check.Rel(1e-11), append(names[i], check.Kept("x", x, c.X.CHW()), check.Why("the mean of every whole window"))...)
			got = pooling.AverageBackward(x, dy, c.Size, c.Stride)
			check.Equal(t, fmt.Sprintf("AverageBackward(x, dy, %d, %d)", c.Size, c.Stride), got, c.Dx.CHW(), check.Rel(1e-11), append(backward[i], check.Kept("x", x, c.X.CHW()), check.Kept("dy", dy, c.Dy.CHW()), check.Why("PyTorch's gradient of the same pooling"))...)
		})
	}
	takesOnePixel(t, "Average", pooling.Average)
	givesOnePixel(t, "AverageBackward", pooling.AverageBackward)
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
		cases := check.Golden[globalCase](t, "globalAverage")
		each := func(f func(c globalCase) []float64) map[string][]float64 {
			out := map[string][]float64{}
			for _, c := range cases {
				out[c.Name] = f(c)
			}
			return out
		}
		byChannel := func(reduce func(channel []float64, h int) float64) map[string][]float64 {
			return each(func(c globalCase) (out []float64) {
				for channel := range slices.Chunk(c.X.Data, c.X.Shape[1]*c.X.Shape[2]) {
					out = append(out, reduce(channel, c.X.Shape[1]))
				}
				return out
			})
		}
		check.Equal(t, "GlobalAverage(x) of x with", each(func(c globalCase) []float64 { return pooling.GlobalAverage(c.X.CHW()) }),
			each(func(c globalCase) []float64 { return c.Y.Floats() }), check.Rel(1e-11), check.Why("one mean a channel, over all its pixels"),
			check.Mistake(byChannel(func(channel []float64, _ int) float64 { return largest(channel) }), "you took the largest value of a channel: global average pooling takes the mean"),
			check.Mistake(byChannel(func(channel []float64, h int) float64 { return mean(channel) * float64(len(channel)/h) }), "you divided by one side: a channel has H·W values"),
			check.Mistake(byChannel(func(channel []float64, h int) float64 { return mean(channel) * float64(h) }), "you divided by one side: a channel has H·W values"),
			check.Mistake(byChannel(func(channel []float64, _ int) float64 { return mean(channel) * float64(len(channel)) }), "you added up and did not divide"),
			check.Mistake(each(func(c globalCase) []float64 { return scaled(1/float64(c.X.Shape[0]), c.Y.Floats()) }), "you divided by the number of all values: each channel has a mean of its own"),
			check.Mistake(each(func(c globalCase) []float64 { return []float64{mean(c.X.Data)} }), "you took one mean of all channels: each has a mean of its own"),
			check.Mistake(each(func(c globalCase) []float64 {
				across, pixels := make([]float64, c.X.Shape[1]*c.X.Shape[2]), c.X.Shape[1]*c.X.Shape[2]
				for i, v := range c.X.Data {
					across[i%pixels] += v / float64(c.X.Shape[0])
				}
				return across
			}), "you averaged over the channels: each channel keeps a mean of its own"))
		check.Panics(t, "GlobalAverage of a 2×0×3 map", func() { pooling.GlobalAverage(tensor.NewCHW(2, 0, 3, nil)) })
		check.Panics(t, "GlobalAverage of a 2×3×0 map", func() { pooling.GlobalAverage(tensor.NewCHW(2, 3, 0, nil)) })
	})
	rng := check.Rand(t)
	check.Independent(t, "Average(x, 2, 1)", pooling.Average, check.Args{normal(2, 5, 4, rng), 2, 1}, check.Args{normal(2, 5, 4, rng), 2, 1})
	check.Independent(t, "Average(x, 1, 1)", pooling.Average, check.Args{normal(2, 5, 4, rng), 1, 1}, check.Args{normal(2, 5, 4, rng), 1, 1})
	x := normal(2, 5, 4, rng) // of it only the shape counts in AverageBackward
	check.Independent(t, "AverageBackward(x, dy, 2, 1)", pooling.AverageBackward, check.Args{x, normal(2, 4, 3, rng), 2, 1}, check.Args{x, normal(2, 4, 3, rng), 2, 1})
	check.Independent(t, "AverageBackward(x, dy, 1, 1)", pooling.AverageBackward, check.Args{x, normal(2, 5, 4, rng), 1, 1}, check.Args{x, normal(2, 5, 4, rng), 1, 1})
	check.Independent(t, "GlobalAverage(x)", pooling.GlobalAverage, check.Args{normal(3, 4, 5, rng)}, check.Args{normal(3, 4, 5, rng)})
}

type kernelCase struct {
	Channels, Size int
	Kernel         check.Array
}

func TestAverageKernel(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[kernelCase](t, "averageKernel")
	each := func(f func(c kernelCase) tensor.OIHW) map[string]tensor.OIHW {
		out := map[string]tensor.OIHW{}
		for _, c := range cases {
			out[fmt.Sprintf("channels %d, size %d", c.Channels, c.Size)] = f(c)
		}
		return out
	}
	// taps are the kernels whose taps from a channel to itself are own, and those between two others.
	taps := func(f func(channels, size float64) (own, others float64)) map[string]tensor.OIHW {
		return each(func(c kernelCase) tensor.OIHW {
			w := c.Kernel.OIHW()
			own, others := f(float64(c.Channels), float64(c.Size))
			for i, v := range w.Data {
				if w.Data[i] = others; v != 0 {
					w.Data[i] = own
				}
			}
			return w
		})
	}
	check.Equal(t, "AverageKernel(channels, size) of", each(func(c kernelCase) tensor.OIHW { return pooling.AverageKernel(c.Channels, c.Size) }),
		each(func(c kernelCase) tensor.OIHW { return c.Kernel.OIHW() }), check.Rel(1e-12), check.Why("the derivative of PyTorch's average pooling by the pixels of a window"),
		check.Mistake(taps(func(_, _ float64) (own, others float64) { return 1, 0 }), "you left the division out: the taps of a channel sum to 1"),
		check.Mistake(taps(func(_, size float64) (own, others float64) { return 1 / size, 0 }), "you divided by size: a window has size² values"),
		check.Mistake(taps(func(_, size float64) (own, others float64) { return 1 / (size * size), 1 / (size * size) }),
			"you connected every pair of channels: pooling treats each channel alone, so the kernel is 0 between different ones"),
		check.Mistake(taps(func(channels, size float64) (own, others float64) {
			return 1 / (size * size * channels), 1 / (size * size * channels)
		}), "you averaged over the channels too: pooling treats each channel alone"),
		check.Mistake(taps(func(channels, size float64) (own, others float64) { return 1 / (size * size * channels), 0 }),
			"you divided by the number of channels too: pooling treats each channel alone"),
		check.Mistake(each(func(c kernelCase) tensor.OIHW {
			w := tensor.NewOIHW(c.Channels, 1, c.Size, c.Size, nil)
			for i := range w.Data {
				w.Data[i] = 1 / float64(c.Size*c.Size)
			}
			return w
		}), "you wrote the kernel of a depthwise convolution: a plain one has a tap for every pair of channels"))
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
	for _, c := range [][5]int{
		{8, 8, 3, -1, 10},
		{8, 3, 3, 2, 10},
		{3, 8, 3, 2, 10},
		{8, 8, 3, 4, 10},
		{8, 8, 3, 64, 10},
		{8, 8, 3, 1, 0},
		{8, 8, 3, 1, -10},
		{0, 8, 3, 0, 10},
		{-8, 8, 3, 1, 10},
		{8, 0, 3, 0, 10},
		{8, -8, 3, 1, 10},
		{-8, -8, 3, 1, 10},
		{8, 8, 0, 1, 10},
		{8, 8, -3, 1, 10},
		{8, 8, -3, 1, -10},
	} {
		check.Panics(t, fmt.Sprintf("FirstDenseWeights(%d, %d, %d, %d, %d)", c[0], c[1], c[2], c[3], c[4]),
			func() { pooling.FirstDenseWeights(c[0], c[1], c[2], c[3], c[4]) })
	}
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
