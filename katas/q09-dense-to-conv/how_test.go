package densetoconv_test

import (
	"fmt"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	densetoconv "whyhow/katas/q09-dense-to-conv"
)

var tol = check.Tol{Rel: 1e-9, Abs: 1e-11}

// numbered is a map that holds 100·channel + 10·row + column, so that a value tells where it comes from.
func numbered(c, h, w int) tensor.CHW {
	x := tensor.NewCHW(c, h, w, nil)
	for k := range c {
		for i := range h {
			for j := range w {
				x.Set(k, i, j, float64(100*k+10*i+j))
			}
		}
	}
	return x
}

func TestCrop(t *testing.T) {
	defer check.Rescue(t)
	x := numbered(2, 6, 9)
	got := densetoconv.Crop(x, 1, 3, 3, 2)
	check.Equal(t, "Crop(x, 1, 3, 3, 2)", got, tensor.NewCHW(2, 3, 2, []float64{13, 14, 23, 24, 33, 34, 113, 114, 123, 124, 133, 134}), check.Exact,
		check.Kept("x, where a value is 100·channel + 10·row + column,", x, numbered(2, 6, 9)),
		check.Why("top 1, left 3, 3 rows, 2 columns"),
		check.Mistake(tensor.NewCHW(2, 3, 2, []float64{31, 32, 41, 42, 51, 52, 131, 132, 141, 142, 151, 152}), "you took top for the column and left for the row"),
		check.Mistake(tensor.NewCHW(2, 2, 3, []float64{13, 14, 15, 23, 24, 25, 113, 114, 115, 123, 124, 125}), "you exchanged height and width"),
		check.Mistake(tensor.NewCHW(1, 3, 2, []float64{13, 14, 23, 24, 33, 34}), "you cropped the first channel only"),
		check.Mistake(tensor.NewCHW(2, 4, 3, []float64{13, 14, 15, 23, 24, 25, 33, 34, 35, 43, 44, 45, 113, 114, 115, 123, 124, 125, 133, 134, 135, 143, 144, 145}),
			"you cropped one row and one column too many: row top+h is the first that is left out"),
		check.Mistake(tensor.NewCHW(2, 2, 1, []float64{13, 23, 113, 123}), "you took h for the row and w for the column where the part ends: they are its size"))
	for _, c := range []struct {
		top, left, h, w int
		want            tensor.CHW
	}{
		{0, 0, 6, 9, numbered(2, 6, 9)},
		{0, 0, 1, 1, tensor.NewCHW(2, 1, 1, []float64{0, 100})},
		{5, 8, 1, 1, tensor.NewCHW(2, 1, 1, []float64{58, 158})},
		{4, 0, 2, 1, tensor.NewCHW(2, 2, 1, []float64{40, 50, 140, 150})},
		{0, 7, 1, 2, tensor.NewCHW(2, 1, 2, []float64{7, 8, 107, 108})},
	} {
		got := densetoconv.Crop(numbered(2, 6, 9), c.top, c.left, c.h, c.w)
		check.Equal(t, fmt.Sprintf("Crop(x, %d, %d, %d, %d) of a 6×9 map", c.top, c.left, c.h, c.w), got, c.want, check.Exact, check.Why("the part may reach to the last row and column"))
	}
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Crop of 3 rows from row 4 of 6", func() { densetoconv.Crop(x, 4, 0, 3, 1) })
		check.Panics(t, "Crop from column −1", func() { densetoconv.Crop(x, 0, -1, 1, 1) })
		check.Panics(t, "Crop of 2 columns from column 8 of 9", func() { densetoconv.Crop(x, 0, 8, 1, 2) })
		check.Panics(t, "Crop from row −1", func() { densetoconv.Crop(x, -1, 0, 1, 1) })
		check.Panics(t, "Crop of 7 rows of 6", func() { densetoconv.Crop(x, 0, 0, 7, 1) })
		check.Panics(t, "Crop of 10 columns of 9", func() { densetoconv.Crop(x, 0, 0, 1, 10) })
		check.Panics(t, "Crop of 0 rows", func() { densetoconv.Crop(x, 2, 2, 0, 2) })
		check.Panics(t, "Crop of 0 columns", func() { densetoconv.Crop(x, 2, 2, 2, 0) })
		check.Panics(t, "Crop of −1 rows", func() { densetoconv.Crop(x, 2, 2, -1, 2) })
		check.Panics(t, "Crop of −1 rows and −1 columns", func() { densetoconv.Crop(x, 2, 2, -1, -1) })
		check.Panics(t, "Crop of −1 columns", func() { densetoconv.Crop(x, 2, 2, 2, -1) })
	})
	rng := check.Rand(t)
	// The whole map, a part of it, and rows that lie in a row: the only place for a part that is no copy.
	for _, size := range [][3]int{{2, 4, 5}, {2, 2, 3}, {1, 2, 5}} {
		draw := func() check.Args {
			return check.Args{tensor.NewCHW(size[0], 4, 5, check.Normal(rng, size[0]*20, 1)), 0, 0, size[1], size[2]}
		}
		check.Independent(t, fmt.Sprintf("Crop(x, 0, 0, %d, %d) of %d channels", size[1], size[2], size[0]), densetoconv.Crop, draw(), draw())
	}
}

// heads returns a map of 2 channels and h×w pixels, weights and biases of 3 scores of it, and others of the same shapes.
func heads(t *testing.T, h, w int) (args, others check.Args) {
	rng := check.Rand(t)
	draw := func() check.Args {
		n := 2 * h * w
		return check.Args{tensor.NewCHW(2, h, w, check.Normal(rng, n, 1)), mat.NewDense(3, n, check.Normal(rng, 3*n, 1)), check.Normal(rng, 3, 1)}
	}
	return draw(), draw()
}

type headCase struct {
	Name                                        string
	W, Bias, X, Large                           check.Array
	Kernel, KernelHWC, KernelCWH, KernelFlipped check.Array
	Y, NoBias, YHWC, Twice                      check.Array
	Map, MapNoBias, MapHWC, MapFlipped          check.Array
	MapMany, MapChannels                        check.Array
}

const (
	hwcFlatten = "you took the map as flattened row, column, channel: here the channel comes first, as in PyTorch"
	firstBias  = "you gave every score the first bias: each has its own"
	withReLU   = "you cut negative scores off: a dense layer is linear, an activation comes after it"
	cwhFlatten = "you took each channel column by column: it is flattened row by row"
)

// over gives what kernels k and bias give each window of x that fits, windows lying down rows and right columns apart.
func over(x tensor.CHW, k tensor.OIHW, bias []float64, down, right int) tensor.CHW {
	y := tensor.NewCHW(k.O, (x.H-k.H)/down+1, (x.W-k.W)/right+1, nil)
	for o := range y.C {
		for i := range y.H {
			for j := range y.W {
				sum := bias[o]
				for n, weight := range k.Data[o*k.I*k.H*k.W : (o+1)*k.I*k.H*k.W] {
					sum += weight * x.At(n/(k.H*k.W), i*down+n/k.W%k.H, j*right+n%k.W)
				}
				y.Set(o, i, j, sum)
			}
		}
	}
	return y
}

func repeated(v float64, n int) []float64 { return slices.Repeat([]float64{v}, n) }

func positive(values []float64) []float64 {
	for i, v := range values {
		values[i] = max(v, 0)
	}
	return values
}

// firstChannel is k with weights for the first channel only.
func firstChannel(k tensor.OIHW) tensor.OIHW {
	k = k.Clone()
	for n := range k.Data {
		if n/(k.H*k.W)%k.I > 0 {
			k.Data[n] = 0
		}
	}
	return k
}

func TestDense(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[headCase](t, "head")
	names := check.Consistent(cases, tol, func(c headCase) []float64 { return densetoconv.Dense(c.X.CHW(), c.W.Dense(), c.Bias.Floats()) },
		func(c headCase) []float64 { return c.Y.Floats() },
		func(c headCase) []check.Reading[[]float64] {
			return []check.Reading[[]float64]{
				check.Reads(c.NoBias.Floats(), "you left the bias out"),
				check.Reads(c.Twice.Floats(), "you added the bias twice"),
				check.Reads(positive(c.Y.Floats()), withReLU),
				check.Reads(over(c.X.CHW(), c.Kernel.OIHW(), repeated(c.Bias.Data[0], len(c.Bias.Data)), 1, 1).Data, firstBias),
				check.Reads(over(c.X.CHW(), c.KernelCWH.OIHW(), c.Bias.Floats(), 1, 1).Data, cwhFlatten),
				check.Reads(c.YHWC.Floats(), hwcFlatten),
			}
		})
	for i, c := range cases {
		t.Run(c.Name+"/Dense", func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.X.CHW(), c.W.Dense()
			got := densetoconv.Dense(x, w, c.Bias.Floats())
			check.Equal(t, "Dense(x, w, bias)", got, c.Y.Floats(), tol, append(names[i],
				check.Kept("x", x, c.X.CHW()), check.Kept("w", w, c.W.Dense()),
				check.Why("score o is bias[o] + Σ w[o][n]·x[n] over the flattened map"))...)
		})
		t.Run(c.Name+"/Kernel", func(t *testing.T) {
			defer check.Rescue(t)
			w := c.W.Dense()
			o, h, wd := c.Bias.Shape[0], c.X.Shape[1], c.X.Shape[2]
			got := densetoconv.Kernel(w, c.X.Shape[0], h, wd)
			check.Equal(t, fmt.Sprintf("Kernel(w, %d, %d, %d)", c.X.Shape[0], h, wd), got, c.Kernel.OIHW(), check.Exact,
				check.Kept("w", w, c.W.Dense()),
				check.Why("kernel o has the shape of the map, and row o of w in it"),
				check.Mistake(c.KernelHWC.OIHW(), hwcFlatten),
				check.Mistake(c.KernelCWH.OIHW(), cwhFlatten),
				check.Mistake(c.KernelFlipped.OIHW(), "you flipped the kernel: deep learning's convolution does not flip, so neither must you"),
				check.Mistake(tensor.NewOIHW(o, len(c.X.Data), 1, 1, c.W.Floats()), "you made 1×1 kernels: those fit the later dense layers; the first one needs the whole map"))
			check.Panics(t, "Kernel for a larger map than w's", func() { densetoconv.Kernel(w, c.X.Shape[0]+1, h, wd) })
			check.Panics(t, "Kernel with a column too many", func() {
				densetoconv.Kernel(mat.NewDense(o, len(c.X.Data)+1, nil), c.X.Shape[0], h, wd)
			})
			check.Panics(t, "Kernel for a smaller map than w's", func() { densetoconv.Kernel(w, c.X.Shape[0], h-1, wd) })
		})
	}
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Dense of 6 values with weights for 5", func() {
			densetoconv.Dense(tensor.NewCHW(1, 2, 3, nil), mat.NewDense(2, 5, nil), make([]float64, 2))
		})
		check.Panics(t, "Dense of 6 values with weights for 7", func() {
			densetoconv.Dense(tensor.NewCHW(1, 2, 3, nil), mat.NewDense(2, 7, nil), make([]float64, 2))
		})
		check.Panics(t, "Dense of 6 values with weights for 12", func() {
			densetoconv.Dense(tensor.NewCHW(1, 2, 3, nil), mat.NewDense(2, 12, nil), make([]float64, 2))
		})
		check.Panics(t, "Dense with 2 scores and 1 bias", func() {
			densetoconv.Dense(tensor.NewCHW(1, 2, 3, nil), mat.NewDense(2, 6, nil), make([]float64, 1))
		})
		check.Panics(t, "Dense with 2 scores and no bias", func() {
			densetoconv.Dense(tensor.NewCHW(1, 2, 3, nil), mat.NewDense(2, 6, nil), nil)
		})
		check.Panics(t, "Dense with 2 scores and 3 biases", func() {
			densetoconv.Dense(tensor.NewCHW(1, 2, 3, nil), mat.NewDense(2, 6, nil), make([]float64, 3))
		})
	})
	args, others := heads(t, 2, 3)
	check.Independent(t, "Dense(x, w, bias)", densetoconv.Dense, args, others)
	check.Independent(t, "Kernel(w, 2, 2, 3)", densetoconv.Kernel, check.Args{args[1], 2, 2, 3}, check.Args{others[1], 2, 2, 3})
}

func TestScoreMap(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[headCase](t, "head")
	names := check.Consistent(cases, tol, func(c headCase) tensor.CHW {
		return densetoconv.ScoreMap(c.Large.CHW(), c.W.Dense(), c.Bias.Floats(), c.X.Shape[1], c.X.Shape[2])
	}, func(c headCase) tensor.CHW { return c.Map.CHW() },
		func(c headCase) []check.Reading[tensor.CHW] {
			x, kernel, bias, full := c.Large.CHW(), c.Kernel.OIHW(), c.Bias.Floats(), c.Map.CHW()
			short := tensor.NewCHW(full.C, full.H-1, full.W-1, nil)
			for o := range short.C {
				for i := range short.H {
					for j := range short.W {
						short.Set(o, i, j, full.At(o, i, j))
					}
				}
			}
			return []check.Reading[tensor.CHW]{
				check.Reads(short, "you left out the last row and the last column of windows: h rows fit into H at H−h+1 places"),
				check.Reads(c.MapNoBias.CHW(), "you left the bias out"),
				check.Reads(over(x, kernel, repeated(bias[0], len(bias)), 1, 1), firstBias),
				check.Reads(tensor.NewCHW(full.C, full.H, full.W, positive(c.Map.Floats())), withReLU),
				check.Reads(c.MapMany.CHW(), "you added the bias with every weight: it counts once a score"),
				check.Reads(c.MapChannels.CHW(), "you added the bias once a channel: it counts once a score"),
				check.Reads(c.MapHWC.CHW(), hwcFlatten),
				check.Reads(c.MapFlipped.CHW(), "you flipped the kernel: deep learning's convolution does not flip, so neither must you"),
				check.Reads(over(x, c.KernelCWH.OIHW(), bias, 1, 1), cwhFlatten),
				check.Reads(over(x, firstChannel(kernel), bias, 1, 1), "you used the first channel only: a window spans all channels"),
				check.Reads(over(x, kernel, bias, kernel.H, kernel.W), "you moved by a whole window: ScoreMap has stride 1, windows overlap"),
				check.Reads(over(x, tensor.NewOIHW(kernel.O, kernel.I, kernel.W, kernel.H, c.W.Floats()), bias, 1, 1), "you exchanged the window's height and width"),
			}
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.Large.CHW(), c.W.Dense()
			h, wd := c.X.Shape[1], c.X.Shape[2]
			got := densetoconv.ScoreMap(x, w, c.Bias.Floats(), h, wd)
			check.Equal(t, fmt.Sprintf("ScoreMap(x, w, bias, %d, %d)", h, wd), got, c.Map.CHW(), tol, append(names[i],
				check.Kept("x", x, c.Large.CHW()), check.Kept("w", w, c.W.Dense()),
				check.Why("the same dense layer on every window, so one convolution"))...)
		})
		t.Run(c.Name+", one window", func(t *testing.T) {
			defer check.Rescue(t)
			got := densetoconv.ScoreMap(c.X.CHW(), c.W.Dense(), c.Bias.Floats(), c.X.Shape[1], c.X.Shape[2])
			check.Equal(t, "ScoreMap(x, w, bias, H, W) of an H×W map", got, tensor.NewCHW(len(c.Bias.Data), 1, 1, c.Y.Floats()), tol,
				check.Why("a window as large as the map fits once, and gets the scores of the dense layer"))
		})
	}
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "ScoreMap of a 2×3 map with a 3×2 window", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 2, 3, nil), mat.NewDense(1, 6, nil), []float64{0}, 3, 2)
		})
		check.Panics(t, "ScoreMap of a 3×2 map with a 2×3 window", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 3, 2, nil), mat.NewDense(1, 6, nil), []float64{0}, 2, 3)
		})
		check.Panics(t, "ScoreMap with a 2×2 window and weights for 5 values", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 4, 4, nil), mat.NewDense(1, 5, nil), []float64{0}, 2, 2)
		})
		check.Panics(t, "ScoreMap with a 2×2 window and weights for 3 values", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 4, 4, nil), mat.NewDense(1, 3, nil), []float64{0}, 2, 2)
		})
		check.Panics(t, "ScoreMap of 2 channels with a 2×2 window and weights for 9 values", func() {
			densetoconv.ScoreMap(tensor.NewCHW(2, 4, 4, nil), mat.NewDense(1, 9, nil), []float64{0}, 2, 2)
		})
		check.Panics(t, "ScoreMap of a 2×2 map with a 3×3 window", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 2, 2, nil), mat.NewDense(1, 9, nil), []float64{0}, 3, 3)
		})
		check.Panics(t, "ScoreMap of a 2×2 map with a 2×2 window and weights for 8 values", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 2, 2, nil), mat.NewDense(1, 8, nil), []float64{0}, 2, 2)
		})
		check.Panics(t, "ScoreMap with 2 scores and no bias", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 4, 4, nil), mat.NewDense(2, 4, nil), nil, 2, 2)
		})
		check.Panics(t, "ScoreMap with 2 scores and 1 bias", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 4, 4, nil), mat.NewDense(2, 4, nil), []float64{0}, 2, 2)
		})
		check.Panics(t, "ScoreMap with 1 score and 2 biases", func() {
			densetoconv.ScoreMap(tensor.NewCHW(1, 4, 4, nil), mat.NewDense(1, 4, nil), []float64{0, 0}, 2, 2)
		})
	})
	args, others := heads(t, 4, 5)
	args[1], others[1] = mat.NewDense(3, 12, check.Normal(check.Rand(t), 36, 1)), mat.NewDense(3, 12, check.Normal(check.Rand(t), 36, 2))
	check.Independent(t, "ScoreMap(x, w, bias, 2, 3)", densetoconv.ScoreMap, append(args, 2, 3), append(others, 2, 3))
}

func TestSlide(t *testing.T) {
	defer check.Rescue(t)
	t.Run("MapSize", func(t *testing.T) {
		defer check.Rescue(t)
		cases := [][3]int{{384, 224, 32}, {224, 224, 32}, {255, 224, 32}, {256, 224, 32}, {30, 18, 4}, {10, 3, 2}, {7, 1, 3}, {31, 18, 4}, {9, 4, 1}, {5, 5, 9}, {1, 1, 1}}
		each := func(f func(image, trained, stride int) int) map[string]int {
			out := map[string]int{}
			for _, c := range cases {
				out[fmt.Sprintf("image %d, trained %d, stride %d", c[0], c[1], c[2])] = f(c[0], c[1], c[2])
			}
			return out
		}
		check.Equal(t, "MapSize(image, trained, stride)", each(densetoconv.MapSize), each(func(i, s, d int) int { return (i-s)/d + 1 }), check.Exact,
			check.Why("one place more than whole strides fit behind the first crop"),
			check.Mistake(each(func(i, s, d int) int { return (i - s) / d }), "you forgot the first crop: it stands before any stride is taken"),
			check.Mistake(each(func(i, s, d int) int { return (i-s+d-1)/d + 1 }), "you rounded up: a place counts only where a whole crop fits"),
			check.Mistake(each(func(i, s, d int) int { return (2*(i-s)+d)/(2*d) + 1 }), "you rounded to the nearest: a place counts only where a whole crop fits"),
			check.Mistake(each(func(i, _, d int) int { return i / d }), "you divided the image by the stride: that counts places where no whole crop fits"),
			check.Mistake(each(func(i, s, d int) int { return (i - s + 1) / d }), "you divided all places, also those between the strides, by the stride, and rounded down: the first one always counts"),
			check.Mistake(each(func(i, s, _ int) int { return i - s + 1 }), "you left out the stride"),
			check.Mistake(each(func(i, s, _ int) int { return i / s }), "you divided the image by the crop: crops lie a stride apart and may overlap"))
		check.Panics(t, "MapSize(223, 224, 32)", func() { densetoconv.MapSize(223, 224, 32) })
		check.Panics(t, "MapSize(224, 224, 0)", func() { densetoconv.MapSize(224, 224, 0) })
		check.Panics(t, "MapSize(256, 224, -32)", func() { densetoconv.MapSize(256, 224, -32) })
		check.Panics(t, "MapSize(256, 0, 32)", func() { densetoconv.MapSize(256, 0, 32) })
		check.Panics(t, "MapSize(256, -224, 32)", func() { densetoconv.MapSize(256, -224, 32) })
		check.Panics(t, "MapSize(256, -224, -32)", func() { densetoconv.MapSize(256, -224, -32) })
	})
	t.Run("Slide", func(t *testing.T) {
		defer check.Rescue(t)
		x := numbered(2, 8, 10)
		// The scores of a crop are its first and its last value, so a map tells where each crop lay.
		score := func(crop tensor.CHW) []float64 { return []float64{crop.Data[0], crop.Data[len(crop.Data)-1]} }
		at := func(rows, columns, size, apart int) tensor.CHW {
			y := tensor.NewCHW(2, rows, columns, nil)
			for i := range rows {
				for j := range columns {
					y.Set(0, i, j, float64(10*apart*i+apart*j))
					y.Set(1, i, j, float64(100+10*(apart*i+size-1)+apart*j+size-1))
				}
			}
			return y
		}
		turned := tensor.NewCHW(2, 4, 3, nil)
		for n, v := range at(3, 4, 3, 2).Data {
			turned.Set(n/12, n%4, n/4%3, v)
		}
		got := densetoconv.Slide(x, 3, 2, score)
		check.Equal(t, "Slide(x, 3, 2, score) with the first and the last value of a crop as its scores", got, at(3, 4, 3, 2), check.Exact,
			check.Kept("x, where a value is 100·channel + 10·row + column,", x, numbered(2, 8, 10)),
			check.Why("3×3 crops at rows 0, 2, 4 and columns 0, 2, 4, 6"),
			check.Mistake(at(3, 4, 3, 1), "you moved by one pixel: neighbouring crops lie a stride apart"),
			check.Mistake(turned, "you took row for column: crop (i, j) begins at row i·stride, column j·stride"),
			check.Mistake(at(2, 3, 3, 3), "you moved by a whole crop: neighbouring crops lie a stride apart and may overlap"))
		// The last crop ends with the map, or it is the only one, or between crops there are pixels that none has.
		for _, c := range []struct{ h, w, size, stride, rows, columns int }{
			{7, 8, 3, 2, 3, 3}, {8, 9, 3, 2, 3, 4}, {5, 4, 3, 1, 3, 2}, {4, 4, 4, 3, 1, 1}, {4, 9, 4, 2, 1, 3}, {9, 4, 4, 2, 3, 1}, {7, 5, 2, 4, 2, 1}, {3, 4, 1, 1, 3, 4},
		} {
			got := densetoconv.Slide(numbered(2, c.h, c.w), c.size, c.stride, score)
			check.Equal(t, fmt.Sprintf("Slide(x, %d, %d, score) of a %d×%d map", c.size, c.stride, c.h, c.w), got, at(c.rows, c.columns, c.size, c.stride), check.Exact,
				check.Why("a crop at every stride-th row and column where a whole one fits: the last may end with the map"))
		}
		one := densetoconv.Slide(x, 3, 2, func(crop tensor.CHW) []float64 { return crop.Data[len(crop.Data)-1:] })
		check.Equal(t, "Slide(x, 3, 2, score) with a single score", one, tensor.NewCHW(1, 3, 4, at(3, 4, 3, 2).Data[12:]), check.Exact, check.Why("a channel a score"))
		check.Panics(t, "Slide of 3×3 crops over a 2×2 map", func() { densetoconv.Slide(tensor.NewCHW(1, 2, 2, nil), 3, 1, score) })
		check.Panics(t, "Slide of 0×0 crops", func() { densetoconv.Slide(numbered(1, 4, 4), 0, 1, score) })
		check.Panics(t, "Slide of crops of size −1", func() { densetoconv.Slide(numbered(1, 4, 4), -1, 1, score) })
		check.Panics(t, "Slide with stride 0", func() { densetoconv.Slide(numbered(1, 4, 4), 2, 0, score) })
		check.Panics(t, "Slide with stride −1", func() { densetoconv.Slide(numbered(1, 4, 4), 2, -1, score) })
		check.Panics(t, "Slide of 3×3 crops over a 2×5 map", func() { densetoconv.Slide(tensor.NewCHW(1, 2, 5, nil), 3, 1, score) })
		check.Panics(t, "Slide of 3×3 crops over a 5×2 map", func() { densetoconv.Slide(tensor.NewCHW(1, 5, 2, nil), 3, 1, score) })
		// A net that works in place: it writes into the crop, and has one slice for its scores.
		for _, c := range []struct{ h, w, size, stride, rows, columns int }{{8, 10, 3, 2, 3, 4}, {4, 4, 4, 1, 1, 1}} {
			kept := []float64{0, 0}
			x := numbered(2, c.h, c.w)
			got := densetoconv.Slide(x, c.size, c.stride, func(crop tensor.CHW) []float64 {
				copy(kept, score(crop))
				clear(crop.Data)
				return kept
			})
			clear(kept)
			want := at(c.rows, c.columns, c.size, c.stride)
			options := []check.Option{
				check.Kept("x", x, numbered(2, c.h, c.w)),
				check.Why("a crop is a copy, and its scores are copied before the next crop is scored"),
			}
			if places := c.rows * c.columns; places > 1 {
				last := slices.Concat(repeated(want.Data[places-1], places), repeated(want.Data[2*places-1], places))
				options = append(options, check.Mistake(tensor.NewCHW(2, c.rows, c.columns, last),
					"you kept the slices that score returned until all were there: it may return the same one every time"))
			}
			check.Equal(t, fmt.Sprintf("Slide(x, %d, %d, score) of a %d×%d map, where score clears the crop and always returns the same slice,", c.size, c.stride, c.h, c.w),
				got, want, check.Exact, options...)
		}
		rng := check.Rand(t)
		draw := func() check.Args { return check.Args{tensor.NewCHW(2, 6, 7, check.Normal(rng, 84, 1)), 3, 2, score} }
		check.Independent(t, "Slide(x, 3, 2, score)", densetoconv.Slide, draw(), draw())
	})
	check.Independent(t, "MapSize(image, trained, stride)", densetoconv.MapSize, check.Args{384, 224, 32}, check.Args{300, 180, 16})
}

func TestCosts(t *testing.T) {
	defer check.Rescue(t)
	// VGG-16: MACs of its convolutions and of its three dense layers at 224×224.
	const conv, dense = 15_346_630_656, 25088*4096 + 4096*4096 + 4096*1000
	type costs map[string]int
	both := func(f func(image, trained, stride, conv, dense int) (slide, whole int)) costs {
		out := costs{}
		for _, c := range [][5]int{{384, 224, 32, conv, dense}, {224, 224, 32, conv, dense}, {30, 18, 4, 1000, 70}, {32, 18, 4, 100, 7}, {70_000, 1, 1, 3, 2}, {100_000, 50_000, 1000, 7, 5}, {7, 5, 1, 175, 3}, {4, 4, 1, 1<<53 + 1, 5}} {
			slide, whole := f(c[0], c[1], c[2], c[3], c[4])
			name := fmt.Sprintf("image %d, trained %d, stride %d, conv %d, dense %d", c[0], c[1], c[2], c[3], c[4])
			out[name+": slide"], out[name+": whole"] = slide, whole
		}
		return out
	}
	n := func(image, trained, stride int) int { return (image-trained)/stride + 1 }
	floating := func(grown func(side, trained, conv float64) float64) check.Option {
		return check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), int(grown(float64(i), float64(s), float64(c))) + n(i, s, d)*n(i, s, d)*f
		}), "you went through float64: a quotient may come out just below a whole number, and above 2⁵³ not every whole number is one")
	}
	const dividedFirst = "you divided before you multiplied: multiply first, so that only the result is rounded down"
	check.Equal(t, "Costs(image, trained, stride, conv, dense)", both(densetoconv.Costs), both(func(i, s, d, c, f int) (int, int) {
		return n(i, s, d) * n(i, s, d) * (c + f), c*i*i/(s*s) + n(i, s, d)*n(i, s, d)*f
	}), check.Exact,
		check.Why("slide: everything once a crop; whole: convolutions grow with the area, the head with the places"),
		floating(func(i, s, c float64) float64 { return c * i * i / (s * s) }),
		floating(func(i, s, c float64) float64 { return c * i / s * i / s }),
		floating(func(i, s, c float64) float64 { return c * (i / s) * (i / s) }),
		floating(func(i, s, c float64) float64 { return c * (i / s * (i / s)) }),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c*i/s + n(i, s, d)*n(i, s, d)*f
		}), "you let the convolutions grow with the side: they grow with the area"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c*i*i/(s*s) + f
		}), "you ran the dense head once: it runs at every place"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c*(i/s)*(i/s) + n(i, s, d)*n(i, s, d)*f
		}), dividedFirst),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c/(s*s)*i*i + n(i, s, d)*n(i, s, d)*f
		}), dividedFirst),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c*i/s*i/s + n(i, s, d)*n(i, s, d)*f
		}), dividedFirst),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), (c*i*i+s*s-1)/(s*s) + n(i, s, d)*n(i, s, d)*f
		}), "you rounded up: the MACs of the convolutions are rounded down"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), (2*c*i*i+s*s)/(2*s*s) + n(i, s, d)*n(i, s, d)*f
		}), "you rounded to the nearest: the MACs of the convolutions are rounded down"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d)*n(i, s, d)*c + f, c*i*i/(s*s) + n(i, s, d)*n(i, s, d)*f
		}), "you ran the dense head once for all crops: each crop runs the whole net"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return c*i*i/(s*s) + n(i, s, d)*n(i, s, d)*f, n(i, s, d) * n(i, s, d) * (c + f)
		}), "you exchanged the results: slide comes first"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c + n(i, s, d)*n(i, s, d)*f
		}), "you ran the convolutions at the trained size only: they run over the whole image"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), (c + f) * i * i / (s * s)
		}), "you let the dense head grow with the area: it runs once a place"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * (c + f), c*i*i/(s*s) + n(i, s, d)*f
		}), "you counted the places along one side only: there are as many rows of them as columns"))
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Costs(223, 224, 32, 1000, 70)", func() { densetoconv.Costs(223, 224, 32, 1000, 70) })
		check.Panics(t, "Costs(256, 224, 0, 1000, 70)", func() { densetoconv.Costs(256, 224, 0, 1000, 70) })
		check.Panics(t, "Costs(256, 224, -32, 1000, 70)", func() { densetoconv.Costs(256, 224, -32, 1000, 70) })
		check.Panics(t, "Costs(256, -224, -32, 1000, 70)", func() { densetoconv.Costs(256, -224, -32, 1000, 70) })
		check.Panics(t, "Costs(256, 0, 32, 1000, 70)", func() { densetoconv.Costs(256, 0, 32, 1000, 70) })
	})
	check.Independent(t, "Costs(image, trained, stride, conv, dense)", densetoconv.Costs, check.Args{384, 224, 32, 5000, 70}, check.Args{300, 200, 16, 7000, 90})
}
