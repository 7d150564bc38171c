package dilation_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"whyhow/katas/kit/check"
	"whyhow/katas/kit/tensor"
	dilation "whyhow/katas/q08-dilation"
)

type convCase struct {
	Name                          string
	Dilation                      int
	X, W, Y, Dy, Dx, Dw           check.Array
	Spread, SpreadWide            check.Array
	Plain, Wide, Stuffed, Flipped check.Array
	DxUndilated, DwUndilated      check.Array
	DxLast, DwLast, DxFlipped     check.Array
}

var tol = check.Tol{Rel: 1e-9, Abs: 1e-11}

// images and kernels read a mistake where the case has a value for it: where the mistake makes a difference.
func images(a check.Array, says string) []check.Reading[tensor.CHW] {
	if len(a.Shape) != 3 {
		return nil
	}
	return []check.Reading[tensor.CHW]{check.Reads(a.CHW(), says)}
}

func kernels(a check.Array, says string) []check.Reading[tensor.OIHW] {
	if len(a.Shape) != 4 {
		return nil
	}
	return []check.Reading[tensor.OIHW]{check.Reads(a.OIHW(), says)}
}

const fromZero = "you put d zeros between the taps, or counted dilation from 0: taps stand d pixels apart, with d−1 zeros between them"

const oneAxis = "you dilated one axis only: rows and columns alike"

// spread lays w out in kernels of h×wd, its taps down rows and right columns apart, each of them size×size.
func spread(w tensor.OIHW, h, wd, down, right, size int) tensor.OIHW {
	s := tensor.NewOIHW(w.O, w.I, h, wd, nil)
	for o := range w.O {
		for c := range w.I {
			for a := range w.H {
				for b := range w.W {
					for k := range size * size {
						s.Set(o, c, a*down+k/size, b*right+k%size, w.At(o, c, a, b))
					}
				}
			}
		}
	}
	return s
}

// convolved is like y: the sum over the taps of w, each with the pixel that read says; a pixel outside x is 0.
func convolved(y, x tensor.CHW, w tensor.OIHW, read func(i, j, a, b int) (row, column int)) tensor.CHW {
	out := tensor.NewCHW(y.C, y.H, y.W, nil)
	for o := range y.C {
		for i := range y.H {
			for j := range y.W {
				sum := 0.0
				for k := range w.I * w.H * w.W {
					c, a, b := k/(w.H*w.W), k/w.W%w.H, k%w.W
					if row, column := read(i, j, a, b); row < x.H && column < x.W {
						sum += w.At(o, c, a, b) * x.At(c, row, column)
					}
				}
				out.Set(o, i, j, sum)
			}
		}
	}
	return out
}

func TestSpread(t *testing.T) {
	defer check.Rescue(t)
	each := func(f func(k, d int) int) map[string]int {
		out := map[string]int{}
		for _, c := range [][2]int{{3, 1}, {3, 2}, {3, 4}, {2, 3}, {5, 3}, {1, 4}, {1, 1}, {65_537, 65_536}} {
			out[fmt.Sprintf("kernel %d, dilation %d", c[0], c[1])] = f(c[0], c[1])
		}
		return out
	}
	right := check.Equal(t, "EffectiveKernel(kernel, dilation)", each(dilation.EffectiveKernel), each(func(k, d int) int { return (k-1)*d + 1 }), check.Exact,
		check.Why("from the first tap to the last; k taps have k−1 gaps"),
		check.Mistake(each(func(k, d int) int { return k * d }), "you multiplied kernel and dilation: k taps have k−1 gaps, and the last tap needs no gap after it"),
		check.Mistake(each(func(k, d int) int { return k + d }), "you added kernel and dilation: every one of the k−1 gaps grows"),
		check.Mistake(each(func(k, d int) int { return (k-1)*(d+1) + 1 }), fromZero),
		check.Mistake(each(func(k, d int) int { return k + d - 1 }), "you widened one gap: every one of the k−1 gaps grows"),
		check.Mistake(each(func(k, d int) int { return (k - 1) * d }), "you counted the gaps only: one tap comes on top"))
	cases := check.Golden[convCase](t, "conv")
	names := check.Consistent(cases, check.Exact, func(c convCase) tensor.OIHW { return dilation.Spread(c.W.OIHW(), c.Dilation) },
		func(c convCase) tensor.OIHW { return c.Spread.OIHW() },
		func(c convCase) []check.Reading[tensor.OIHW] {
			list, w, d := kernels(c.SpreadWide, fromZero), c.W.OIHW(), c.Dilation
			if right && d > 1 && w.H > 1 && w.W > 1 {
				list = append(list,
					check.Reads(spread(w, (w.H-1)*d+1, w.W, d, 1, 1), oneAxis),
					check.Reads(spread(w, w.H, (w.W-1)*d+1, 1, d, 1), oneAxis),
					check.Reads(spread(w, w.H*d, w.W*d, d, d, 1), "you left zeros behind the last tap: the kernel ends with it"),
					check.Reads(spread(w, w.H*d, w.W*d, d, d, d), "you repeated each weight: between the taps there are zeros"))
			}
			return list
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			w := c.W.OIHW()
			got := dilation.Spread(w, c.Dilation)
			check.Equal(t, fmt.Sprintf("Spread(w, %d)", c.Dilation), got, c.Spread.OIHW(), check.Exact,
				append(names[i], check.Kept("w", w, c.W.OIHW()),
					check.Why("the same taps, dilation pixels apart, zeros between them"))...)
		})
	}
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "EffectiveKernel(3, 0)", func() { dilation.EffectiveKernel(3, 0) })
		check.Panics(t, "EffectiveKernel(0, 1)", func() { dilation.EffectiveKernel(0, 1) })
		check.Panics(t, "EffectiveKernel(-3, -1)", func() { dilation.EffectiveKernel(-3, -1) })
		check.Panics(t, "Spread with dilation −1", func() { dilation.Spread(tensor.NewOIHW(1, 1, 3, 3, nil), -1) })
		check.Panics(t, "Spread of a 1×1 kernel with dilation 0", func() { dilation.Spread(tensor.NewOIHW(1, 1, 1, 1, nil), 0) })
		check.Panics(t, "Spread with dilation 0", func() { dilation.Spread(tensor.NewOIHW(1, 1, 3, 3, nil), 0) })
	})
	rng := check.Rand(t)
	draw := func() tensor.OIHW { return tensor.NewOIHW(2, 3, 2, 3, check.Normal(rng, 36, 1)) }
	check.Independent(t, "EffectiveKernel(kernel, dilation)", dilation.EffectiveKernel, check.Args{3, 2}, check.Args{5, 4})
	check.Independent(t, "Spread(w, dilation)", dilation.Spread, check.Args{draw(), 2}, check.Args{draw(), 3})
	check.Independent(t, "Spread(w, 1)", dilation.Spread, check.Args{draw(), 1}, check.Args{draw(), 1})
}

func TestConv2D(t *testing.T) {
	defer check.Rescue(t)
	cases := check.Golden[convCase](t, "conv")
	names := check.Consistent(cases, tol, func(c convCase) tensor.CHW { return dilation.Conv2D(c.X.CHW(), c.W.OIHW(), c.Dilation) },
		func(c convCase) tensor.CHW { return c.Y.CHW() },
		func(c convCase) []check.Reading[tensor.CHW] {
			x, w := c.X.CHW(), c.W.OIHW()
			list := images(c.Plain, "you ignored the dilation: tap (a, b) reads pixel (i+a·d, j+b·d)")
			list = append(list, images(c.Wide, fromZero)...)
			list = append(list, images(c.Stuffed, "you put the zeros into the input: that is what a transposed convolution does; dilation spreads the kernel")...)
			list = append(list, images(c.Flipped, "you flipped the kernel: deep learning's convolution does not")...)
			if len(c.Plain.Shape) == 3 {
				// The same mistake with the output of the right size: the top left part of it.
				plain, y := c.Plain.CHW(), tensor.NewCHW(c.Y.Shape[0], c.Y.Shape[1], c.Y.Shape[2], nil)
				for o := range y.C {
					for i := range y.H {
						for j := range y.W {
							y.Set(o, i, j, plain.At(o, i, j))
						}
					}
				}
				d := c.Dilation
				strided := tensor.NewCHW(y.C, (x.H-w.H)/d+1, (x.W-w.W)/d+1, nil)
				list = append(list, check.Reads(y, "the size is right, but the sum leaves the dilation out: tap (a, b) reads pixel (i+a·d, j+b·d)"),
					check.Reads(convolved(y, x, w, func(i, j, a, b int) (int, int) { return i + a*d, j + b }), oneAxis),
					check.Reads(convolved(y, x, w, func(i, j, a, b int) (int, int) { return i + a, j + b*d }), oneAxis),
					check.Reads(convolved(strided, x, w, func(i, j, a, b int) (int, int) { return i*d + a, j*d + b }),
						"you took the dilation for a stride: windows move by one pixel, their taps stand d pixels apart"),
					check.Reads(convolved(y, x, w, func(i, j, a, b int) (int, int) { return (i + a) * d, (j + b) * d }), "you dilated the position too: tap (a, b) reads pixel (i+a·d, j+b·d)"))
			}
			if w.H*w.W > 1 {
				last := w.Clone()
				for n := range last.Data {
					if (n+1)%(w.I*w.H*w.W) > 0 {
						last.Data[n] = 0
					}
				}
				list = append(list, check.Reads(convolved(c.Y.CHW(), x, last, func(i, j, a, b int) (int, int) { return i + a*c.Dilation, j + b*c.Dilation }),
					"you overwrote the output tap by tap: it is the sum over all of them"))
			}
			if c.W.Shape[1] > 1 {
				first := w.Clone()
				for n := range first.Data {
					if n/(w.H*w.W)%w.I > 0 {
						first.Data[n] = 0
					}
				}
				list = append(list, check.Reads(convolved(c.Y.CHW(), x, first, func(i, j, a, b int) (int, int) { return i + a*c.Dilation, j + b*c.Dilation }),
					"you used the first channel only: an output sums over all channels"))
			}
			return list
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, w := c.X.CHW(), c.W.OIHW()
			got := dilation.Conv2D(x, w, c.Dilation)
			check.Equal(t, fmt.Sprintf("Conv2D(x, w, %d)", c.Dilation), got, c.Y.CHW(), tol,
				append(names[i], check.Kept("x", x, c.X.CHW()), check.Kept("w", w, c.W.OIHW()))...)
		})
	}
	t.Run("a single position", func(t *testing.T) {
		defer check.Rescue(t)
		x := tensor.NewCHW(1, 3, 5, []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
		w := tensor.NewOIHW(1, 1, 2, 3, []float64{1, 10, 100, 1000, 10000, 100000})
		check.Equal(t, "Conv2D of a 3×5 image with a 2×3 kernel of dilation 2", dilation.Conv2D(x, w, 2), tensor.NewCHW(1, 1, 1, []float64{1 + 30 + 500 + 11_000 + 130_000 + 1_500_000}), check.Exact,
			check.Why("the kernel spans 3×5 pixels and fits once: its taps read 1, 3, 5 and 11, 13, 15"))
	})
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Conv2D of a 4×9 image with a 3×3 kernel of dilation 2", func() {
			dilation.Conv2D(tensor.NewCHW(1, 4, 9, nil), tensor.NewOIHW(1, 1, 3, 3, nil), 2)
		})
		check.Panics(t, "Conv2D of a 9×4 image with a 3×3 kernel of dilation 2", func() {
			dilation.Conv2D(tensor.NewCHW(1, 9, 4, nil), tensor.NewOIHW(1, 1, 3, 3, nil), 2)
		})
		check.Panics(t, "Conv2D of a 3×3 image with a 3×3 kernel of dilation 2", func() {
			dilation.Conv2D(tensor.NewCHW(1, 3, 3, nil), tensor.NewOIHW(1, 1, 3, 3, nil), 2)
		})
		check.Panics(t, "Conv2D with a 1×1 kernel and dilation 0", func() {
			dilation.Conv2D(tensor.NewCHW(1, 5, 5, nil), tensor.NewOIHW(1, 1, 1, 1, nil), 0)
		})
		check.Panics(t, "Conv2D with dilation 0", func() {
			dilation.Conv2D(tensor.NewCHW(1, 5, 5, nil), tensor.NewOIHW(1, 1, 3, 3, nil), 0)
		})
		check.Panics(t, "Conv2D of 3 channels with a kernel for 2", func() {
			dilation.Conv2D(tensor.NewCHW(3, 5, 5, nil), tensor.NewOIHW(1, 2, 3, 3, nil), 1)
		})
		check.Panics(t, "Conv2D of 2 channels with a kernel for 3", func() {
			dilation.Conv2D(tensor.NewCHW(2, 5, 5, nil), tensor.NewOIHW(1, 3, 3, 3, nil), 1)
		})
	})
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{tensor.NewCHW(2, 6, 7, check.Normal(rng, 84, 1)), tensor.NewOIHW(3, 2, 2, 3, check.Normal(rng, 36, 1)), 2}
	}
	check.Independent(t, "Conv2D(x, w, 2)", dilation.Conv2D, draw(), draw())
}

func TestConv2DBackward(t *testing.T) {
	defer check.Rescue(t)
	const plain = "you went back through plain taps: tap (a, b) of the output (i, j) read pixel (i+a·d, j+b·d)"
	cases := check.Golden[convCase](t, "conv")
	backward := func(c convCase) (tensor.CHW, tensor.OIHW) {
		return dilation.Conv2DBackward(c.X.CHW(), c.Dy.CHW(), c.W.OIHW(), c.Dilation)
	}
	namesX := check.Consistent(cases, tol, func(c convCase) tensor.CHW { dx, _ := backward(c); return dx }, func(c convCase) tensor.CHW { return c.Dx.CHW() },
		func(c convCase) []check.Reading[tensor.CHW] {
			return slices.Concat(images(c.DxUndilated, plain), images(c.DxFlipped, "you flipped the kernel once too often"),
				images(c.DxLast, "you overwrote dx: a pixel is read by several windows, and their gradients add up"))
		})
	namesW := check.Consistent(cases, tol, func(c convCase) tensor.OIHW { _, dw := backward(c); return dw }, func(c convCase) tensor.OIHW { return c.Dw.OIHW() },
		func(c convCase) []check.Reading[tensor.OIHW] {
			return slices.Concat(kernels(c.DwUndilated, plain), kernels(c.DwLast, "you overwrote dw: a tap is used at every position, and their gradients add up"))
		})
	for i, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			defer check.Rescue(t)
			x, w, dy := c.X.CHW(), c.W.OIHW(), c.Dy.CHW()
			gotX, gotW := dilation.Conv2DBackward(x, dy, w, c.Dilation)
			call := fmt.Sprintf("Conv2DBackward(x, dy, w, %d)", c.Dilation)

			check.Equal(t, call+" dx", gotX, c.Dx.CHW(), tol,
				append(namesX[i], check.Kept("x", x, c.X.CHW()), check.Kept("dy", dy, c.Dy.CHW()), check.Kept("w", w, c.W.OIHW()))...)
			check.Equal(t, call+" dw", gotW, c.Dw.OIHW(), tol, namesW[i]...)
			if !t.Failed() {
				_, gotW = dilation.Conv2DBackward(x, dy, tensor.NewOIHW(w.O, w.I, w.H, w.W, nil), c.Dilation)
				check.Equal(t, call+" dw of a w of zeros", gotW, c.Dw.OIHW(), tol, check.Why("y is linear in w: its gradient by w does not depend on w"),
					check.Mistake(tensor.NewOIHW(w.O, w.I, w.H, w.W, nil), "you skipped the taps that are 0: they have a gradient too"))
				gotX, _ = dilation.Conv2DBackward(tensor.NewCHW(x.C, x.H, x.W, nil), dy, w, c.Dilation)
				check.Equal(t, call+" dx of an x of zeros", gotX, c.Dx.CHW(), tol, check.Why("y is linear in x: its gradient by x does not depend on x"),
					check.Mistake(tensor.NewCHW(x.C, x.H, x.W, nil), "you skipped the pixels that are 0: they have a gradient too"))
			}

			// The same once more, by central differences.
			loss := func() float64 {
				sum := 0.0
				for o := range dy.C {
					for i := range dy.H {
						for j := range dy.W {
							for k := range w.I * w.H * w.W {
								in, a, b := k/(w.H*w.W), k/w.W%w.H, k%w.W
								sum += dy.At(o, i, j) * w.At(o, in, a, b) * x.At(in, i+a*c.Dilation, j+b*c.Dilation)
							}
						}
					}
				}
				return sum
			}
			check.Gradient(t, call+" dx", gotX, x, loss)
			check.Gradient(t, call+" dw", gotW, w, loss)
		})
	}
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Conv2DBackward with dy of another shape than the output", func() {
			dilation.Conv2DBackward(tensor.NewCHW(1, 5, 5, nil), tensor.NewCHW(1, 3, 3, nil), tensor.NewOIHW(1, 1, 3, 3, nil), 2)
		})
		for _, dy := range []tensor.CHW{tensor.NewCHW(2, 2, 4, nil), tensor.NewCHW(2, 3, 3, nil), tensor.NewCHW(1, 3, 4, nil), tensor.NewCHW(3, 3, 4, nil), tensor.NewCHW(2, 4, 3, nil), tensor.NewCHW(2, 3, 5, nil), tensor.NewCHW(2, 4, 4, nil)} {
			check.Panics(t, fmt.Sprintf("Conv2DBackward with an output of 2×3×4 and dy of %d×%d×%d", dy.C, dy.H, dy.W), func() {
				dilation.Conv2DBackward(tensor.NewCHW(1, 7, 8, nil), dy, tensor.NewOIHW(2, 1, 3, 3, nil), 2)
			})
		}
		check.Panics(t, "Conv2DBackward with dilation 0", func() {
			dilation.Conv2DBackward(tensor.NewCHW(1, 5, 5, nil), tensor.NewCHW(1, 5, 5, nil), tensor.NewOIHW(1, 1, 1, 1, nil), 0)
		})
		check.Panics(t, "Conv2DBackward of a 4×5 image with a 3×3 kernel of dilation 2", func() {
			dilation.Conv2DBackward(tensor.NewCHW(1, 4, 5, nil), tensor.NewCHW(1, 0, 1, nil), tensor.NewOIHW(1, 1, 3, 3, nil), 2)
		})
		check.Panics(t, "Conv2DBackward of a 3×3 image with a 3×3 kernel of dilation 2", func() {
			dilation.Conv2DBackward(tensor.NewCHW(1, 3, 3, nil), tensor.NewCHW(1, 1, 1, nil), tensor.NewOIHW(1, 1, 3, 3, nil), 2)
		})
		check.Panics(t, "Conv2DBackward of 3 channels with a kernel for 2", func() {
			dilation.Conv2DBackward(tensor.NewCHW(3, 5, 5, nil), tensor.NewCHW(1, 3, 3, nil), tensor.NewOIHW(1, 2, 3, 3, nil), 1)
		})
	})
	rng := check.Rand(t)
	draw := func() check.Args {
		return check.Args{
			tensor.NewCHW(2, 6, 7, check.Normal(rng, 84, 1)), tensor.NewCHW(3, 4, 3, check.Normal(rng, 36, 1)), tensor.NewOIHW(3, 2, 2, 3, check.Normal(rng, 36, 1)), 2,
		}
	}
	check.Independent(t, "Conv2DBackward(x, dy, w, 2)", dilation.Conv2DBackward, draw(), draw())
}

func TestField(t *testing.T) {
	defer check.Rescue(t)
	stacks := []struct {
		kernel    int
		dilations []int
		want      int
	}{
		{3, nil, 1},
		{3, []int{1, 1, 1}, 7},
		{3, []int{1, 2, 4, 8}, 31},
		{3, []int{1, 1, 2, 4, 8, 16, 1}, 67}, // Yu and Koltun 2016, table 1
		{2, []int{1, 2, 4}, 8},
		{5, []int{3, 2}, 21},
		{1, []int{4, 2}, 1},
	}
	each := func(f func(kernel int, dilations []int) int) map[string]int {
		out := map[string]int{}
		for _, s := range stacks {
			out[fmt.Sprintf("kernel %d, dilations %v", s.kernel, s.dilations)] = f(s.kernel, s.dilations)
		}
		return out
	}
	sum := func(start int, grow func(k, d int) int) map[string]int {
		return each(func(kernel int, dilations []int) int {
			n := start
			for _, d := range dilations {
				n += grow(kernel, d)
			}
			return n
		})
	}
	want := map[string]int{}
	for _, s := range stacks {
		want[fmt.Sprintf("kernel %d, dilations %v", s.kernel, s.dilations)] = s.want
	}
	check.Equal(t, "Field(kernel, dilations)", each(dilation.Field), want, check.Exact,
		check.Why("a layer adds the distance from its first tap to its last"),
		check.Mistake(sum(0, func(k, d int) int { return (k-1)*d + 1 }), "you added up effective kernels: each layer adds one less, and the unit itself is counted once"),
		check.Mistake(sum(1, func(k, d int) int { return k * d }), "you added kernel times dilation: k taps have k−1 gaps"),
		check.Mistake(sum(0, func(k, d int) int { return (k - 1) * d }), "you left out the unit itself: an empty stack has field 1"),
		check.Mistake(sum(1, func(k, _ int) int { return k - 1 }), "you ignored the dilations"),
		check.Mistake(sum(1, func(k, d int) int { return (k - 1) * (d + 1) }), fromZero),
		check.Mistake(sum(1, func(k, d int) int { return (k - 1) / 2 * d }), "you counted what one side adds: the field grows on both sides"),
		check.Mistake(each(func(kernel int, dilations []int) int {
			n := 1
			for _, d := range dilations {
				n *= (kernel-1)*d + 1
			}
			return n
		}), "you multiplied the effective kernels: without strides what the layers add is added up"),
		check.Mistake(each(func(kernel int, dilations []int) int {
			n := 1
			for _, d := range dilations {
				n = max(n, (kernel-1)*d+1)
			}
			return n
		}), "you took the widest layer: every layer reaches further than the one before it"))

	reach := [][2]int{{3, -4}, {3, 0}, {3, 2}, {3, 1}, {3, 3}, {3, 4}, {3, 7}, {3, 15}, {3, 16}, {2, 8}, {5, 100}, {2, 5000}}
	schedules := func(f func(kernel, field int) []int) map[string][]int {
		out := map[string][]int{}
		for _, c := range reach {
			out[fmt.Sprintf("kernel %d, field %d", c[0], c[1])] = f(c[0], c[1])
		}
		return out
	}
	wanted := map[string][]int{
		"kernel 3, field -4": nil, "kernel 3, field 2": {1}, "kernel 3, field 0": nil, "kernel 3, field 1": nil, "kernel 3, field 3": {1}, "kernel 3, field 4": {1, 2}, "kernel 3, field 7": {1, 2},
		"kernel 3, field 15": {1, 2, 4}, "kernel 3, field 16": {1, 2, 4, 8}, "kernel 2, field 8": {1, 2, 4}, "kernel 5, field 100": {1, 2, 4, 8, 16},
		"kernel 2, field 5000": {1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 2048, 4096},
	}
	// grown is the schedule from d on, up to the first that is enough: have is its field, next that with one more layer.
	grown := func(d int, grow func(d int) int, enough func(have, next, field int) bool) map[string][]int {
		return schedules(func(kernel, field int) []int {
			var out []int
			for d, have := d, 1; !enough(have, have+(kernel-1)*d, field); d = grow(d) {
				out, have = append(out, d), have+(kernel-1)*d
			}
			return out
		})
	}
	double := func(d int) int { return 2 * d }
	reached := func(have, _, field int) bool { return have >= field }
	check.Equal(t, "Doubling(kernel, field)", schedules(dilation.Doubling), wanted, check.Exact,
		check.Why("the shortest schedule 1, 2, 4, … whose field is at least field"),
		check.Mistake(grown(1, double, func(have, _, field int) bool { return have > field }), "you went on after the field was reached: a field of exactly that size is enough"),
		check.Mistake(grown(1, func(d int) int { return d + 1 }, reached), "you raised the dilation by one a layer: it doubles"),
		check.Mistake(grown(1, double, func(_, next, field int) bool { return next > field }), "you stopped before the field was reached: it is to be at least field"),
		check.Mistake(grown(2, double, reached), "you began with dilation 2: the schedule is 1, 2, 4, …"),
		check.Mistake(grown(1, func(d int) int { return d }, reached), "you repeated dilation 1: it doubles from layer to layer"),
		check.Mistake(schedules(func(_, field int) []int {
			var out []int
			for d, have := 1, 1; have < field; d *= 2 {
				out, have = append(out, d), have+2*d
			}
			return out
		}), "you took a kernel of 3 for granted: a layer adds (kernel−1)·d"))
	t.Run("arguments", func(t *testing.T) {
		defer check.Rescue(t)
		check.Panics(t, "Doubling(1, 5)", func() { dilation.Doubling(1, 5) })
		check.Panics(t, "Doubling(0, 5)", func() { dilation.Doubling(0, 5) })
		check.Panics(t, "Doubling(1, 1)", func() { dilation.Doubling(1, 1) })
	})
	check.Independent(t, "Field(kernel, dilations)", dilation.Field, check.Args{3, []int{4, 1, 2}}, check.Args{5, []int{6, 1, 3}})
	check.Independent(t, "Doubling(kernel, field)", dilation.Doubling, check.Args{3, 9}, check.Args{2, 30})
}

// picture writes taps as a person reads them: # for a position that is read.
func picture(taps []bool) string {
	s := make([]byte, len(taps))
	for i, read := range taps {
		s[i] = '.'
		if read {
			s[i] = '#'
		}
	}
	return string(s)
}

func TestTaps(t *testing.T) {
	defer check.Rescue(t)
	all := func(n int) string { return strings.Repeat("#", n) }
	digits := "#"
	for _, d := range []int{1, 3, 9, 27, 81} {
		digits += strings.Repeat(".", d-len(digits)) + digits
	}
	stacks := []struct {
		kernel                  int
		dilations               []int
		want, all, last, noLast string // by mistake: every position, one layer at a time, one position short
	}{
		{3, nil, "#", "#", "#", ""},
		{3, []int{2}, "#.#.#", "#####", "#.#.#", "#.#."},
		{3, []int{2, 2, 2}, "#.#.#.#.#.#.#", "#############", "#.#.#........", "#.#.#.#.#.#."},
		{3, []int{1, 2, 4}, "###############", "###############", "###.#...#......", "##############"},
		{3, []int{1, 2, 5}, "#################", "#################", "###.##....#......", "################"},
		{3, []int{2, 4}, "#.#.#.#.#.#.#", "#############", "#.#.#...#....", "#.#.#.#.#.#."},
		{2, []int{1, 3}, "##.##", "#####", "##.#.", "##.#"},
		{2, []int{3, 1}, "##.##", "#####", "##.#.", "##.#"},
		{4, []int{3}, "#..#..#..#", "##########", "#..#..#..#", "#..#..#.."},
		{1, []int{3, 5}, "#", "#", "#", ""},
		{3, []int{1, 1, 2, 4, 8, 16, 1}, all(67), all(67), "###.#...#.......#...............#" + strings.Repeat(".", 34), all(66)},
		// With two taps and powers of 3, those are read that need no digit 2 in base 3.
		{2, []int{1, 3, 9, 27, 81}, digits, all(122), "##.#.....#.................#.....................................................#" + strings.Repeat(".", 40), digits[:121]},
	}
	pick := func(f func(i int) string) map[string]string {
		out := map[string]string{}
		for i, s := range stacks {
			out[fmt.Sprintf("kernel %d, dilations %v", s.kernel, s.dilations)] = f(i)
		}
		return out
	}
	got := pick(func(i int) string { return picture(dilation.Taps(stacks[i].kernel, check.Copy(stacks[i].dilations))) })
	check.Equal(t, "Taps(kernel, dilations), # for a position that is read,", got, pick(func(i int) string { return stacks[i].want }), check.Exact,
		check.Why("a position is read if one tap from each layer, together, lead to it"),
		check.Mistake(pick(func(i int) string { return stacks[i].all }), "you marked the whole field: with dilations such as 2, 2, 2 there are positions that no path leads to"),
		check.Mistake(pick(func(i int) string { return stacks[i].last }), "you marked each layer's own taps only: a path takes one tap in every layer, and their offsets add up"),
		check.Mistake(pick(func(i int) string {
			common := 0 // the greatest common divisor of the dilations
			for _, d := range stacks[i].dilations {
				for d > 0 {
					common, d = d, common%d
				}
			}
			marks := []byte(stacks[i].all)
			for p := range marks {
				if common > 0 && p%common > 0 {
					marks[p] = '.'
				}
			}
			return string(marks)
		}), "you marked the multiples of the dilations' common divisor: that no other is read does not make all of them read"),
		check.Mistake(pick(func(i int) string {
			first := min(64, len(stacks[i].want))
			return stacks[i].want[:first] + strings.Repeat(".", len(stacks[i].want)-first)
		}), "you lost the positions behind the first 64: one word of bits does not hold a field"),
		check.Mistake(pick(func(i int) string { return stacks[i].noLast }), "you made the list one position too short: it has the length of the field"))
	check.Independent(t, "Taps(kernel, dilations)", dilation.Taps, check.Args{3, []int{5, 1, 2}}, check.Args{2, []int{4, 3, 6}})
}
