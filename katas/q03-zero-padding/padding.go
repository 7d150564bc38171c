// Package padding puts zeros around images and counts what they do: sizes, how often a pixel is read, convolution.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "padding: ".
package padding

import "whyhow/katas/kit/tensor"

// Pad returns x, C×H×W, with zeros around every channel: C×(top+H+bottom)×(left+W+right).
// It panics if top, bottom, left or right is negative. Source: torch.nn.functional.pad, mode "constant".
func Pad(x tensor.CHW, top, bottom, left, right int) tensor.CHW {
	panic("TODO: Pad")
}

// OutputSize returns how many positions a kernel takes along one axis of in pixels, with before zeros in front
// of them and after behind them. Neighbouring taps of the kernel are dilation pixels apart (1: no gaps), neighbouring
// positions stride pixels. A last position that doesn't fit whole is dropped.
// It returns an error if in, kernel, stride or dilation is not positive, if before or after is negative, or if the kernel does
// not fit into the padded axis. Source: torch.nn.Conv2d, section Shape.
func OutputSize(in, kernel, stride, dilation, before, after int) (int, error) {
	panic("TODO: OutputSize")
}

// Unread returns how many of the in pixels at the end of the axis no window reads: the run of pixels after the last one that a
// tap falls on. Zeros are not pixels and don't count; nor do pixels further in that a stride or a dilation skips. The arguments are
// OutputSize's; it panics where OutputSize returns an error.
func Unread(in, kernel, stride, dilation, before, after int) int {
	panic("TODO: Unread")
}

// Same returns the smallest padding of an axis of in pixels with which a kernel (dilation 1) takes ⌈in/stride⌉ positions.
// It is split evenly; an odd zero goes after. Neither is ever negative. It panics if an argument is not positive.
// Source: tf.nn.convolution, padding "SAME"; ONNX Conv, auto_pad SAME_UPPER.
func Same(in, kernel, stride int) (before, after int) {
	panic("TODO: Same")
}

// Uses returns, for every pixel of an h×w image, how many windows of a kernel×kernel convolution read it, with
// stride 1, dilation 1 and pad zeros on every side. It panics if h, w or kernel is not positive, pad is negative, or the kernel does not fit.
func Uses(h, w, kernel, pad int) [][]int {
	panic("TODO: Uses")
}

// LayersUntilGone returns how many unpadded convolutions of stride 1, one after another, an axis of size pixels
// lets through: the next one would not fit. It panics if size < 1 or kernel < 2.
func LayersUntilGone(size, kernel int) int {
	panic("TODO: LayersUntilGone")
}

// Conv2D is a convolution as networks compute it: the cross-correlation of x, C×H×W, with every kernel of w, O×C×KH×KW, plus its bias,
// with pad zeros on all four sides and dilation 1:
//
//	y[o,i,j] = bias[o] + Σ_{c,r,s} w[o,c,r,s] · xpad[c, i·stride+r, j·stride+s]
//
// y is O×H'×W' with the sizes of OutputSize. A nil bias is none. It panics if w takes another number of channels than x has,
// if bias is neither nil nor of length O, or where OutputSize returns an error. Source: torch.nn.Conv2d.
func Conv2D(x tensor.CHW, w tensor.OIHW, bias []float64, stride, pad int) tensor.CHW {
	panic("TODO: Conv2D")
}
