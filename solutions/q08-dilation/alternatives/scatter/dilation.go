// Package dilation is another right answer: it scatters each input pixel into the outputs, goes back through the spread kernel, and counts
// paths as products of polynomials.
package dilation

import (
	"math/bits"

	"whyhow/katas/kit/tensor"
)

// EffectiveKernel counts the taps and the zeros between them.
func EffectiveKernel(kernel, dilation int) int {
	if min(kernel, dilation) < 1 {
		panic("dilation: kernel and dilation count from 1")
	}
	return kernel + (kernel-1)*(dilation-1)
}

// Spread writes the kernel row by row.
func Spread(w tensor.OIHW, dilation int) tensor.OIHW {
	h, wd := EffectiveKernel(w.H, dilation), EffectiveKernel(w.W, dilation)
	data := make([]float64, w.O*w.I*h*wd)
	for i, v := range w.Data {
		plane, a, b := i/(w.H*w.W), i/w.W%w.H, i%w.W
		data[(plane*h+a*dilation)*wd+b*dilation] = v
	}
	return tensor.NewOIHW(w.O, w.I, h, wd, data)
}

// Conv2D scatters: every input pixel goes to the outputs that have it under a tap.
func Conv2D(x tensor.CHW, w tensor.OIHW, dilation int) tensor.CHW {
	h, wd := x.H-EffectiveKernel(w.H, dilation)+1, x.W-EffectiveKernel(w.W, dilation)+1
	if h < 1 || wd < 1 || x.C != w.I {
		panic("dilation: the kernel does not fit the image")
	}
	y := tensor.NewCHW(w.O, h, wd, nil)
	for c := range x.C {
		for r := range x.H {
			for q := range x.W {
				v := x.At(c, r, q)
				for a := w.H - 1; a >= 0; a-- {
					for b := w.W - 1; b >= 0; b-- {
						i, j := r-a*dilation, q-b*dilation
						if i < 0 || j < 0 || i >= h || j >= wd {
							continue
						}
						for o := range w.O {
							y.Data[(o*h+i)*wd+j] += v * w.At(o, c, a, b)
						}
					}
				}
			}
		}
	}
	return y
}

// Conv2DBackward takes dx as the full correlation of dy with the spread kernel turned round, and dw as the correlation of x with dy.
func Conv2DBackward(x, dy tensor.CHW, w tensor.OIHW, dilation int) (dx tensor.CHW, dw tensor.OIHW) {
	s := Spread(w, dilation)
	if min(x.H-s.H, x.W-s.W) < 0 || dy.C != w.O || dy.H != x.H-s.H+1 || dy.W != x.W-s.W+1 || x.C != w.I {
		panic("dilation: dy has not the shape of the output")
	}
	padded := tensor.NewCHW(dy.C, dy.H+2*(s.H-1), dy.W+2*(s.W-1), nil)
	for o := range dy.C {
		for i := range dy.H {
			for j := range dy.W {
				padded.Set(o, i+s.H-1, j+s.W-1, dy.At(o, i, j))
			}
		}
	}
	turned := tensor.NewOIHW(w.I, w.O, s.H, s.W, nil)
	for o := range w.O {
		for c := range w.I {
			for a := range s.H {
				for b := range s.W {
					turned.Set(c, o, s.H-1-a, s.W-1-b, s.At(o, c, a, b))
				}
			}
		}
	}
	dx = Conv2D(padded, turned, 1)
	dw = tensor.NewOIHW(w.O, w.I, w.H, w.W, nil)
	for i := range dw.Data {
		o, c, a, b := i/(w.I*w.H*w.W), i/(w.H*w.W)%w.I, i/w.W%w.H, i%w.W
		for r := range dy.H {
			for q := range dy.W {
				dw.Data[i] += dy.At(o, r, q) * x.At(c, r+a*dilation, q+b*dilation)
			}
		}
	}
	return dx, dw
}

// Field goes down from the output.
func Field(kernel int, dilations []int) int {
	first, last := 0, 0
	for i := len(dilations) - 1; i >= 0; i-- {
		last += dilations[i]*kernel - dilations[i]
	}
	return last - first + 1
}

// Taps multiplies the polynomials 1 + z^d + z^2d + …; a coefficient counts paths.
func Taps(kernel int, dilations []int) []bool {
	paths := []int{1}
	for _, d := range dilations {
		product := make([]int, len(paths)+(kernel-1)*d)
		for p, n := range paths {
			for a := 0; a < kernel; a++ {
				product[p+a*d] += n
			}
		}
		paths = product
	}
	read := make([]bool, len(paths))
	for p, n := range paths {
		read[p] = n > 0
	}
	return read
}

// Doubling solves 1 + (k−1)(2ⁿ−1) ≥ field for n.
func Doubling(kernel, field int) []int {
	if kernel <= 1 {
		panic("dilation: such a kernel never reaches a neighbour")
	}
	if field <= 1 {
		return []int{}
	}
	n := bits.Len(uint((field - 2 + kernel - 1) / (kernel - 1)))
	out := make([]int, n)
	for i := range out {
		out[i] = 1 << i
	}
	return out
}
