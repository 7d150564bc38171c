// Package dilation asks what dilation is.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "dilation: ".
package dilation

import (
	"fmt"

	"whyhow/katas/kit/tensor"
)

// EffectiveKernel returns the width of a kernel whose taps stand dilation pixels apart, from its first tap to its last. Dilation counts from 1: a plain
// kernel has 1, as in PyTorch. It panics if kernel or dilation is below 1.
func EffectiveKernel(kernel, dilation int) int {
	if kernel < 1 || dilation < 1 {
		panic(fmt.Sprintf("dilation: kernel %d, dilation %d: both count from 1", kernel, dilation))
	}
	return (kernel-1)*dilation + 1
}

// Spread returns the plain kernel that does what w, O×I×H×W, does with the given dilation: the same taps, dilation pixels apart, the zeros
// between them written out. It panics if dilation is below 1.
func Spread(w tensor.OIHW, dilation int) tensor.OIHW {
	s := tensor.NewOIHW(w.O, w.I, EffectiveKernel(w.H, dilation), EffectiveKernel(w.W, dilation), nil)
	for o := range w.O {
		for c := range w.I {
			for a := range w.H {
				for b := range w.W {
					s.Set(o, c, a*dilation, b*dilation, w.At(o, c, a, b))
				}
			}
		}
	}
	return s
}

// Conv2D returns the dilated convolution of x, I×H×W, with w, O×I×K×L: y[o][i][j] = Σ w[o][c][a][b]·x[c][i+a·dilation][j+b·dilation], without padding, bias or
// flip, stride 1. The output is O×(H−K′+1)×(W−L′+1) for the effective kernel K′×L′. It panics if the channels differ, the effective kernel does not fit into x,
// or dilation is below 1. Source: torch.nn.Conv2d.
func Conv2D(x tensor.CHW, w tensor.OIHW, dilation int) tensor.CHW {
	y := output(x, w, dilation)
	each(y, w, dilation, func(o, i, j, c, a, b, row, column int) {
		y.Set(o, i, j, y.At(o, i, j)+w.At(o, c, a, b)*x.At(c, row, column))
	})
	return y
}

// Conv2DBackward returns the gradients of Conv2D with respect to x and w, of their shapes, where dy is the gradient with respect to its output. It panics where Conv2D does,
// and if dy has another shape than the output.
func Conv2DBackward(x, dy tensor.CHW, w tensor.OIHW, dilation int) (dx tensor.CHW, dw tensor.OIHW) {
	if y := output(x, w, dilation); y.C != dy.C || y.H != dy.H || y.W != dy.W {
		panic(fmt.Sprintf("dilation: gradient %d×%d×%d of an output %d×%d×%d", dy.C, dy.H, dy.W, y.C, y.H, y.W))
	}
	dx = tensor.NewCHW(x.C, x.H, x.W, nil)
	dw = tensor.NewOIHW(w.O, w.I, w.H, w.W, nil)
	each(dy, w, dilation, func(o, i, j, c, a, b, row, column int) {
		g := dy.At(o, i, j)
		dx.Set(c, row, column, dx.At(c, row, column)+w.At(o, c, a, b)*g)
		dw.Set(o, c, a, b, dw.At(o, c, a, b)+x.At(c, row, column)*g)
	})
	return dx, dw
}

// output returns the output of Conv2D with zeros in it.
func output(x tensor.CHW, w tensor.OIHW, dilation int) tensor.CHW {
	h, wd := x.H-EffectiveKernel(w.H, dilation)+1, x.W-EffectiveKernel(w.W, dilation)+1
	if w.I != x.C || h < 1 || wd < 1 {
		panic(fmt.Sprintf("dilation: kernel %d×%d×%d×%d with dilation %d for an image %d×%d×%d", w.O, w.I, w.H, w.W, dilation, x.C, x.H, x.W))
	}
	return tensor.NewCHW(w.O, h, wd, nil)
}

// each calls f for every output pixel and every tap, with the input pixel under that tap.
func each(y tensor.CHW, w tensor.OIHW, dilation int, f func(o, i, j, c, a, b, row, column int)) {
	for o := range y.C {
		for i := range y.H {
			for j := range y.W {
				for c := range w.I {
					for a := range w.H {
						for b := range w.W {
							f(o, i, j, c, a, b, i+a*dilation, j+b*dilation)
						}
					}
				}
			}
		}
	}
}

// Field returns the receptive field, along one axis, of a stack of stride-1 convolutions, all with the same kernel, one for each dilation. An empty stack has field 1.
func Field(kernel int, dilations []int) int {
	field := 1
	for _, d := range dilations {
		field += (kernel - 1) * d
	}
	return field
}

// Taps returns which of the Field(kernel, dilations) positions of the receptive field are read at all, along one axis: position p is read if one can choose one tap
// from each layer such that their offsets add up to p.
func Taps(kernel int, dilations []int) []bool {
	read := []bool{true}
	for _, d := range dilations {
		next := make([]bool, len(read)+(kernel-1)*d)
		for p, r := range read {
			for a := range kernel {
				next[p+a*d] = next[p+a*d] || r
			}
		}
		read = next
	}
	return read
}

// Doubling returns the shortest schedule of dilations 1, 2, 4, 8, … whose field, with the given kernel, is at least field. It is empty for a field of 1 or less. It
// panics if kernel is below 2, which never reaches beyond one pixel.
func Doubling(kernel, field int) []int {
	if kernel < 2 {
		panic(fmt.Sprintf("dilation: a kernel of %d reaches no neighbour", kernel))
	}
	var dilations []int
	for d := 1; Field(kernel, dilations) < field; d *= 2 {
		dilations = append(dilations, d)
	}
	return dilations
}
