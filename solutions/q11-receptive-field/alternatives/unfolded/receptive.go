// Package receptive computes what a convolutional network sees and what it costs: receptive fields, parameters,
// multiply-accumulates. Source of the recurrences: Araujo, Norris and Sim 2019, doi 10.23915/distill.00021.
package receptive

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Layer is a convolution or a pooling layer with a square kernel, the same stride, padding and dilation along both axes.
type Layer struct {
	Name     string
	In, Out  int  // channels; of a pool both are the same
	Kernel   int  // k: the kernel is k×k
	Stride   int  // 0 means 1
	Pad      int  // on each side
	Dilation int  // the distance between two taps; 1 is an ordinary convolution, 0 means 1
	Groups   int  // each of the groups sees In/Groups channels and makes Out/Groups; 0 means 1
	Bias     bool // adds Out parameters
	Norm     bool // batch norm after it: adds 2·Out parameters, γ and β
	Pool     bool // has no parameters, whatever Groups, Bias and Norm say
}

// OutputSize returns the length of l's output along an axis of length in, rounded down:
//
//	⌊(in + 2·pad − dilation·(kernel − 1) − 1)/stride⌋ + 1
//
// It returns an error if the dilated kernel is longer than the padded input. Source: torch.nn.Conv2d.
func OutputSize(in int, l Layer) (int, error) {
	l = full(l)
	span := l.Dilation*l.Kernel - l.Dilation + 1
	// Count the positions: the kernel starts at 0, stride, 2·stride … of the padded input.
	size := 0
	for start := 0; start+span <= in+2*l.Pad; start += l.Stride {
		size++
	}
	if size == 0 {
		return 0, errors.New("receptive: the kernel does not fit")
	}
	return size, nil
}

// Field returns the theoretical receptive field of a unit after the layers, in input pixels along one axis: its size, the
// jump (effective stride: how far apart in the input the fields of two neighbouring units are), and the pad (effective
// padding: how far the field of unit 0 begins before pixel 0). Without layers a unit is a pixel: 1, 1, 0.
func Field(layers []Layer) (size, jump, pad int) {
	first, last := Span(layers, 0)
	next, _ := Span(layers, 1)
	return last - first + 1, next - first, -first
}

// Span returns the first and the last input pixel that a unit after the layers sees along one axis; units count from 0.
// first is negative where the field begins in the padding, last may lie behind the input.
func Span(layers []Layer, unit int) (first, last int) {
	// From the last layer back to the image: unit u reads stride·u − pad to stride·u − pad + dilation·(k − 1).
	first, last = unit, unit
	for _, l := range slices.Backward(layers) {
		l = full(l)
		first, last = first*l.Stride-l.Pad, last*l.Stride-l.Pad+l.Dilation*(l.Kernel-1)
	}
	return first, last
}

// Params returns the number of learned parameters of l: weights, biases, γ and β. A pool has none.
// It panics if Groups does not divide In and Out.
func Params(l Layer) int {
	if l.Pool {
		return 0
	}
	l = full(l)
	if l.In%l.Groups+l.Out%l.Groups > 0 {
		panic("receptive: Groups does not divide the channels")
	}
	aChannel := l.Kernel * l.Kernel * (l.In / l.Groups)
	if l.Bias {
		aChannel++
	}
	if l.Norm {
		aChannel += 2
	}
	return l.Out * aChannel
}

// MACs returns the multiply-accumulates of l on an input map of h×w: one for every product of a weight and an input,
// padded zeros among them; biases and batch norm count nothing. A pool has none, on any map.
// It panics if the map is too small for a convolution, or if Groups does not divide In and Out.
func MACs(l Layer, h, w int) int {
	if l.Pool {
		return 0
	}
	bare := l
	bare.Bias, bare.Norm = false, false
	return Params(bare) * positions(l, h, w)
}

// FLOPs returns the floating-point operations of l on an input map of h×w: two a multiply-accumulate, and one an output
// value for a bias; a pool has kernel² an output value. Batch norm counts nothing: it is folded.
// It panics where MACs does, and if the map is too small for a pool.
func FLOPs(l Layer, h, w int) int {
	adds := 0
	if l.Pool {
		adds = l.Kernel * l.Kernel
	} else if l.Bias {
		adds = 1
	}
	return 2*MACs(l, h, w) + adds*l.Out*positions(l, h, w)
}

// Network returns the parameters and the multiply-accumulates of layers applied one after the other to a square input of
// size×size. It returns an error that names the layer if a map becomes too small for it. It panics where Params does.
func Network(layers []Layer, size int) (params, macs int, err error) {
	if len(layers) == 0 {
		return 0, 0, nil
	}
	l := layers[0]
	out, err := OutputSize(size, l)
	if err != nil {
		return 0, 0, fmt.Errorf("receptive: layer %s on a map of %d: %w", l.Name, size, err)
	}
	params, macs, err = Network(layers[1:], out)
	return params + Params(l), macs + MACs(l, size, size), err
}

// EffectiveStd returns the standard deviation, in input pixels along one axis, of the weight that a unit after the layers
// gives to the pixels of its field, when every kernel is uniform and nothing else lies between the layers.
// Source: Luo, Li, Urtasun and Zemel 2016, arXiv:1701.04128.
func EffectiveStd(layers []Layer) float64 {
	// Seen from behind, a layer stretches what came after it by its stride, and adds its own taps.
	variance := 0.0
	for _, l := range slices.Backward(layers) {
		l = full(l)
		k, d, s := float64(l.Kernel), float64(l.Dilation), float64(l.Stride)
		variance = s*s*variance + d*d*(k-1)*(k+1)/12
	}
	return math.Sqrt(variance)
}

// full reads the zeros of l as ones.
func full(l Layer) Layer {
	l.Stride, l.Dilation, l.Groups = max(l.Stride, 1), max(l.Dilation, 1), max(l.Groups, 1)
	return l
}

// positions is the number of places of the output map.
func positions(l Layer, h, w int) int {
	outH, errH := OutputSize(h, l)
	outW, errW := OutputSize(w, l)
	if err := errors.Join(errH, errW); err != nil {
		panic("receptive: " + err.Error())
	}
	return outH * outW
}
