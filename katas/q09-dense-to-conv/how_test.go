package densetoconv_test

import (
	"fmt"
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
		check.Mistake(tensor.NewCHW(1, 3, 2, []float64{13, 14, 23, 24, 33, 34}), "you cropped the first channel only"))
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Crop of 3 rows from row 4 of 6", func() { densetoconv.Crop(x, 4, 0, 3, 1) })
		check.Panics(t, "Crop from column −1", func() { densetoconv.Crop(x, 0, -1, 1, 1) })
		check.Panics(t, "Crop of 2 columns from column 8 of 9", func() { densetoconv.Crop(x, 0, 8, 1, 2) })
		check.Panics(t, "Crop from row −1", func() { densetoconv.Crop(x, -1, 0, 1, 1) })
	})
	rng := check.Rand(t)
	for _, size := range [][2]int{{4, 5}, {2, 3}} { // the whole map, and a part of it
		draw := func() check.Args {
			return check.Args{tensor.NewCHW(2, 4, 5, check.Normal(rng, 40, 1)), 0, 0, size[0], size[1]}
		}
		check.Independent(t, fmt.Sprintf("Crop(x, 0, 0, %d, %d)", size[0], size[1]), densetoconv.Crop, draw(), draw())
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

const hwcFlatten = "you took the map as flattened row, column, channel: here the channel comes first, as in PyTorch"

func TestDense(t *testing.T) {
	defer check.Rescue(t)
	for _, c := range check.Golden[headCase](t, "head") {
		t.Run(c.Name+"/Dense", func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.X.CHW(), c.W.Dense()
			got := densetoconv.Dense(x, w, c.Bias.Floats())
			check.Equal(t, "Dense(x, w, bias)", got, c.Y.Floats(), tol,
				check.Kept("x", x, c.X.CHW()), check.Kept("w", w, c.W.Dense()),
				check.Why("score o is bias[o] + Σ w[o][n]·x[n] over the flattened map"),
				check.Mistake(c.NoBias.Floats(), "you left the bias out"),
				check.Mistake(c.Twice.Floats(), "you added the bias twice"),
				check.Mistake(c.YHWC.Floats(), hwcFlatten))
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
				check.Mistake(c.KernelCWH.OIHW(), "you filled each channel column by column: it is flattened row by row"),
				check.Mistake(c.KernelFlipped.OIHW(), "you flipped the kernel: deep learning's convolution does not flip, so neither must you"),
				check.Mistake(tensor.NewOIHW(o, len(c.X.Data), 1, 1, c.W.Floats()), "you made 1×1 kernels: those fit the later dense layers; the first one needs the whole map"))
			check.Panics(t, "Kernel for a larger map than w's", func() { densetoconv.Kernel(w, c.X.Shape[0]+1, h, wd) })
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
	for _, c := range check.Golden[headCase](t, "head") {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.Large.CHW(), c.W.Dense()
			h, wd := c.X.Shape[1], c.X.Shape[2]
			got := densetoconv.ScoreMap(x, w, c.Bias.Floats(), h, wd)
			full := c.Map.CHW()
			short := tensor.NewCHW(full.C, full.H-1, full.W-1, nil)
			for o := range short.C {
				for i := range short.H {
					for j := range short.W {
						short.Set(o, i, j, full.At(o, i, j))
					}
				}
			}
			check.Equal(t, fmt.Sprintf("ScoreMap(x, w, bias, %d, %d)", h, wd), got, c.Map.CHW(), tol,
				check.Kept("x", x, c.Large.CHW()), check.Kept("w", w, c.W.Dense()),
				check.Mistake(short, "you left out the last row and the last column of windows: h rows fit into H at H−h+1 places"),
				check.Why("the same dense layer on every window, so one convolution"),
				check.Mistake(c.MapNoBias.CHW(), "you left the bias out"),
				check.Mistake(c.MapMany.CHW(), "you added the bias with every weight: it counts once a score"),
				check.Mistake(c.MapChannels.CHW(), "you added the bias once a channel: it counts once a score"),
				check.Mistake(c.MapHWC.CHW(), hwcFlatten),
				check.Mistake(c.MapFlipped.CHW(), "you flipped the kernel: deep learning's convolution does not flip, so neither must you"))
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
		cases := [][3]int{{384, 224, 32}, {224, 224, 32}, {255, 224, 32}, {256, 224, 32}, {30, 18, 4}, {10, 3, 2}, {7, 1, 3}}
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
			check.Mistake(each(func(i, _, d int) int { return i / d }), "you divided the image by the stride: that counts places where no whole crop fits"))
		check.Panics(t, "MapSize(223, 224, 32)", func() { densetoconv.MapSize(223, 224, 32) })
		check.Panics(t, "MapSize(224, 224, 0)", func() { densetoconv.MapSize(224, 224, 0) })
		check.Panics(t, "MapSize(256, 224, -32)", func() { densetoconv.MapSize(256, 224, -32) })
	})
	t.Run("Slide", func(t *testing.T) {
		defer check.Rescue(t)
		x := numbered(2, 8, 10)
		// The scores of a crop are its first and its last value, so a map tells where each crop lay.
		score := func(crop tensor.CHW) []float64 { return []float64{crop.Data[0], crop.Data[len(crop.Data)-1]} }
		build := func(f func(i, j int) (first, last float64)) tensor.CHW {
			y := tensor.NewCHW(2, 3, 4, nil)
			for i := range 3 {
				for j := range 4 {
					first, last := f(i, j)
					y.Set(0, i, j, first)
					y.Set(1, i, j, last)
				}
			}
			return y
		}
		at := func(top, left int) (first, last float64) {
			return float64(10*top + left), float64(100 + 10*(top+2) + left + 2)
		}
		got := densetoconv.Slide(x, 3, 2, score)
		check.Equal(t, "Slide(x, 3, 2, score) with the first and the last value of a crop as its scores", got, build(func(i, j int) (float64, float64) { return at(2*i, 2*j) }), check.Exact,
			check.Kept("x, where a value is 100·channel + 10·row + column,", x, numbered(2, 8, 10)),
			check.Why("3×3 crops at rows 0, 2, 4 and columns 0, 2, 4, 6"),
			check.Mistake(build(func(i, j int) (float64, float64) { return at(i, j) }), "you moved by one pixel: neighbouring crops lie a stride apart"),
			check.Mistake(build(func(i, j int) (float64, float64) { return at(3*i, 3*j) }), "you moved by a whole crop: neighbouring crops lie a stride apart and may overlap"))
		check.Panics(t, "Slide of 3×3 crops over a 2×5 map", func() { densetoconv.Slide(tensor.NewCHW(1, 2, 5, nil), 3, 1, score) })
		check.Panics(t, "Slide of 3×3 crops over a 5×2 map", func() { densetoconv.Slide(tensor.NewCHW(1, 5, 2, nil), 3, 1, score) })
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
		for _, c := range [][5]int{{384, 224, 32, conv, dense}, {224, 224, 32, conv, dense}, {30, 18, 4, 1000, 70}} {
			slide, whole := f(c[0], c[1], c[2], c[3], c[4])
			name := fmt.Sprintf("image %d, trained %d, stride %d, conv %d, dense %d", c[0], c[1], c[2], c[3], c[4])
			out[name+": slide"], out[name+": whole"] = slide, whole
		}
		return out
	}
	n := func(image, trained, stride int) int { return (image-trained)/stride + 1 }
	check.Equal(t, "Costs(image, trained, stride, conv, dense)", both(densetoconv.Costs), both(func(i, s, d, c, f int) (int, int) {
		return n(i, s, d) * n(i, s, d) * (c + f), c*i*i/(s*s) + n(i, s, d)*n(i, s, d)*f
	}), check.Exact,
		check.Why("slide: everything once a crop; whole: convolutions grow with the area, the head with the places"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c*i/s + n(i, s, d)*n(i, s, d)*f
		}), "you let the convolutions grow with the side: they grow with the area"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c*i*i/(s*s) + f
		}), "you ran the dense head once: it runs at every place"),
		check.Mistake(both(func(i, s, d, c, f int) (int, int) {
			return n(i, s, d) * n(i, s, d) * (c + f), c*(i/s)*(i/s) + n(i, s, d)*n(i, s, d)*f
		}), "you divided the sides as whole numbers first: multiply before you divide, so that only the result is rounded down"),
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
	})
	check.Independent(t, "Costs(image, trained, stride, conv, dense)", densetoconv.Costs, check.Args{384, 224, 32, 5000, 70}, check.Args{300, 200, 16, 7000, 90})
}
