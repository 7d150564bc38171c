// Package padding puts zeros around images and counts what they do: sizes, how often a pixel is read, convolution.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "padding: ".
package padding

import (
	"errors"
	"fmt"

	"whyhow/katas/kit/tensor"
)

// Pad returns x, C×H×W, with zeros around every channel: C×(top+H+bottom)×(left+W+right).
// It panics if top, bottom, left or right is negative. Source: torch.nn.functional.pad, mode "constant".
func Pad(x tensor.CHW, top, bottom, left, right int) tensor.CHW {
	if min(top, bottom, left, right) < 0 {
		panic(fmt.Sprintf("padding: Pad needs paddings of at least 0, got %d, %d, %d, %d", top, bottom, left, right))
	}
	y := tensor.NewCHW(x.C, top+x.H+bottom, left+x.W+right, nil)
	for c := range x.C {
		for h := range x.H {
			for w := range x.W {
				y.Set(c, top+h, left+w, x.At(c, h, w))
			}
		}
	}
	return y
}

// OutputSize returns how many positions a kernel takes along one axis of in pixels, with before zeros in front
// of them and after behind them. Neighbouring taps of the kernel are dilation pixels apart (1: no gaps), neighbouring
// positions stride pixels. A last position that doesn't fit whole is dropped.
// It returns an error if in, kernel, stride or dilation is not positive, if before or after is negative, or if the kernel does
// not fit into the padded axis. Source: torch.nn.Conv2d, section Shape.
func OutputSize(in, kernel, stride, dilation, before, after int) (int, error) {
	if min(in, kernel, stride, dilation) < 1 {
		return 0, errors.New("padding: in, kernel, stride and dilation must be positive")
	}
	if min(before, after) < 0 {
		return 0, errors.New("padding: before and after must not be negative")
	}
	span := dilation*(kernel-1) + 1
	room := before + in + after - span
	if room < 0 {
		return 0, fmt.Errorf("padding: a kernel that spans %d does not fit into %d", span, before+in+after)
	}
	return room/stride + 1, nil
}

// Unread returns how many of the in pixels at the end of the axis no window reads: the run of pixels after the last one that a
// tap falls on. Zeros are not pixels and don't count; nor do pixels further in that a stride or a dilation skips. The arguments are
// OutputSize's; it panics where OutputSize returns an error.
func Unread(in, kernel, stride, dilation, before, after int) int {
	out, err := OutputSize(in, kernel, stride, dilation, before, after)
	if err != nil {
		panic(err.Error())
	}
	last := -1
	for i := range out {
		for j := range kernel {
			if p := i*stride + j*dilation - before; p < in {
				last = max(last, p)
			}
		}
	}
	return in - 1 - last
}

// Same returns the smallest padding of an axis of in pixels with which a kernel (dilation 1) takes ⌈in/stride⌉ positions.
// It is split evenly; an odd zero goes after. Neither is ever negative. It panics if an argument is not positive.
// Source: tf.nn.convolution, padding "SAME"; ONNX Conv, auto_pad SAME_UPPER.
func Same(in, kernel, stride int) (before, after int) {
	if min(in, kernel, stride) < 1 {
		panic(fmt.Sprintf("padding: Same needs positive arguments, got %d, %d, %d", in, kernel, stride))
	}
	out := (in + stride - 1) / stride
	total := max((out-1)*stride+kernel-in, 0)
	return total / 2, total - total/2
}

// Uses returns, for every pixel of an h×w image, how many windows of a kernel×kernel convolution read it, with
// stride 1, dilation 1 and pad zeros on every side. It panics if h, w or kernel is not positive, pad is negative, or the kernel does not fit.
func Uses(h, w, kernel, pad int) [][]int {
	outH, errH := OutputSize(h, kernel, 1, 1, pad, pad)
	outW, errW := OutputSize(w, kernel, 1, 1, pad, pad)
	if err := errors.Join(errH, errW); err != nil {
		panic(err.Error())
	}
	uses := make([][]int, h)
	for r := range uses {
		uses[r] = make([]int, w)
		for c := range uses[r] {
			uses[r][c] = windows(r+pad, kernel, outH) * windows(c+pad, kernel, outW)
		}
	}
	return uses
}

// windows counts the windows, of which there are out, that cover position p of a padded axis at stride 1: window i covers i…i+kernel−1.
func windows(p, kernel, out int) int {
	return min(p, out-1) - max(p-kernel+1, 0) + 1
}

// LayersUntilGone returns how many unpadded convolutions of stride 1, one after another, an axis of size pixels
// lets through: the next one would not fit. It panics if size < 1 or kernel < 2.
func LayersUntilGone(size, kernel int) int {
	if size < 1 || kernel < 2 {
		panic(fmt.Sprintf("padding: LayersUntilGone needs size ≥ 1 and kernel ≥ 2, got %d and %d", size, kernel))
	}
	return (size - 1) / (kernel - 1)
}

// Conv2D is a convolution as networks compute it: the cross-correlation of x, C×H×W, with every kernel of w, O×C×KH×KW, plus its bias,
// with pad zeros on all four sides and dilation 1:
//
//	y[o,i,j] = bias[o] + Σ_{c,r,s} w[o,c,r,s] · xpad[c, i·stride+r, j·stride+s]
//
// y is O×H'×W' with the sizes of OutputSize. A nil bias is none. It panics if w takes another number of channels than x has,
// if bias is neither nil nor of length O, or where OutputSize returns an error. Source: torch.nn.Conv2d.
func Conv2D(x tensor.CHW, w tensor.OIHW, bias []float64, stride, pad int) tensor.CHW {
	if w.I != x.C || bias != nil && len(bias) != w.O {
		panic(fmt.Sprintf("padding: Conv2D: x has %d channels and w takes %d; w gives %d and bias has %d", x.C, w.I, w.O, len(bias)))
	}
	outH, errH := OutputSize(x.H, w.H, stride, 1, pad, pad)
	outW, errW := OutputSize(x.W, w.W, stride, 1, pad, pad)
	if err := errors.Join(errH, errW); err != nil {
		panic(err.Error())
	}
	padded := Pad(x, pad, pad, pad, pad)
	y := tensor.NewCHW(w.O, outH, outW, nil)
	for o := range w.O {
		for i := range outH {
			for j := range outW {
				v := response(padded, w, o, i*stride, j*stride)
				if bias != nil {
					v += bias[o]
				}
				y.Set(o, i, j, v)
			}
		}
	}
	return y
}

// response is Σ_{c,r,s} w[o,c,r,s] · x[c, top+r, left+s].
func response(x tensor.CHW, w tensor.OIHW, o, top, left int) float64 {
	sum := 0.0
	for c := range w.I {
		for r := range w.H {
			for s := range w.W {
				sum += w.At(o, c, r, s) * x.At(c, top+r, left+s)
			}
		}
	}
	return sum
}
