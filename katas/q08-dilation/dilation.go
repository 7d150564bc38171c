// Package dilation asks what dilation is.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "dilation: ".
package dilation

import "whyhow/katas/kit/tensor"

// EffectiveKernel returns the width of a kernel whose taps stand dilation pixels apart, from its first tap to its last. Dilation counts from 1: a plain
// kernel has 1, as in PyTorch. It panics if kernel or dilation is below 1.
func EffectiveKernel(kernel, dilation int) int {
	panic("TODO: EffectiveKernel")
}

// Spread returns the plain kernel that does what w, O×I×H×W, does with the given dilation: the same taps, dilation pixels apart, the zeros
// between them written out. It panics if dilation is below 1.
func Spread(w tensor.OIHW, dilation int) tensor.OIHW {
	panic("TODO: Spread")
}

// Conv2D returns the dilated convolution of x, I×H×W, with w, O×I×K×L: y[o][i][j] = Σ w[o][c][a][b]·x[c][i+a·dilation][j+b·dilation], without padding, bias or
// flip, stride 1. The output is O×(H−K′+1)×(W−L′+1) for the effective kernel K′×L′. It panics if the channels differ, the effective kernel does not fit into x,
// or dilation is below 1. Source: torch.nn.Conv2d.
func Conv2D(x tensor.CHW, w tensor.OIHW, dilation int) tensor.CHW {
	panic("TODO: Conv2D")
}

// Conv2DBackward returns the gradients of Conv2D with respect to x and w, of their shapes, where dy is the gradient with respect to its output. It panics where Conv2D does,
// and if dy has another shape than the output.
func Conv2DBackward(x, dy tensor.CHW, w tensor.OIHW, dilation int) (dx tensor.CHW, dw tensor.OIHW) {
	panic("TODO: Conv2DBackward")
}

// Field returns the receptive field, along one axis, of a stack of stride-1 convolutions, all with the same kernel, one for each dilation. An empty stack has field 1.
func Field(kernel int, dilations []int) int {
	panic("TODO: Field")
}

// Taps returns which of the Field(kernel, dilations) positions of the receptive field are read at all, along one axis: position p is read if one can choose one tap
// from each layer such that their offsets add up to p.
func Taps(kernel int, dilations []int) []bool {
	panic("TODO: Taps")
}

// Doubling returns the shortest schedule of dilations 1, 2, 4, 8, … whose field, with the given kernel, is at least field. It is empty for a field of 1 or less. It
// panics if kernel is below 2, which never reaches beyond one pixel.
func Doubling(kernel, field int) []int {
	panic("TODO: Doubling")
}
