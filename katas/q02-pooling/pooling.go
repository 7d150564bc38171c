// Package pooling holds max and average pooling, their gradients, and what they gain and lose.
//
// Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next,
// and returns memory of its own: what it returns shares none with an argument nor with another result. A caller's error
// panics with a message that begins with "pooling: ".
package pooling

import "whyhow/katas/kit/tensor"

// Max returns the largest value of every size×size window of every channel of x, C×H×W. Window (i, j) begins at row i·stride, column j·stride;
// nothing is padded, and a window that doesn't fit whole is dropped: the result is C×(⌊(H−size)/stride⌋+1)×(⌊(W−size)/stride⌋+1).
// It panics if size or stride is not positive, or if size exceeds H or W. Source: torch.nn.MaxPool2d.
func Max(x tensor.CHW, size, stride int) tensor.CHW {
	panic("TODO: Max")
}

// MaxBackward returns the gradient of a loss with respect to x, C×H×W, where dy is its gradient with respect to y = Max(x, size, stride).
// A window hands all of its dy to its largest value; among equal ones to the first in scan order (row by row, left to right). A pixel that is
// the largest of several windows collects from all of them. It panics where Max does, or if dy has not the shape of y. Source: torch.nn.MaxPool2d.
func MaxBackward(x, dy tensor.CHW, size, stride int) tensor.CHW {
	panic("TODO: MaxBackward")
}

// Average returns the mean of every size×size window of every channel of x, C×H×W. Windows and result are Max's. It panics where
// Max does. Source: torch.nn.AvgPool2d.
func Average(x tensor.CHW, size, stride int) tensor.CHW {
	panic("TODO: Average")
}

// AverageBackward returns the gradient of a loss with respect to x, C×H×W, where dy is its gradient with respect to
// y = Average(x, size, stride). It panics where Average does, or if dy has not the shape of y. Source: torch.nn.AvgPool2d.
func AverageBackward(x, dy tensor.CHW, size, stride int) tensor.CHW {
	panic("TODO: AverageBackward")
}

// GlobalAverage returns the mean of every channel of x, C×H×W: C values. It panics if a channel has no pixels.
// Source: Lin, Chen and Yan 2013; torch.nn.AdaptiveAvgPool2d(1).
func GlobalAverage(x tensor.CHW) []float64 {
	panic("TODO: GlobalAverage")
}

// AverageKernel returns the kernel, channels×channels×size×size, with which an unpadded convolution without bias, of any stride, is
// Average(x, size, stride) for every x of that many channels. It panics if channels or size is not positive.
func AverageKernel(channels, size int) tensor.OIHW {
	panic("TODO: AverageKernel")
}

// Confusable returns two different 1×4×4 images of finite values that Max(…, 2, 2) turns into the same 1×2×2 map: a witness that
// pooling loses where a value was.
func Confusable() (a, b tensor.CHW) {
	panic("TODO: Confusable")
}

// FirstDenseWeights returns how many weights, without biases, connect a map of h×w pixels and that many channels, flattened after it went through
// pools poolings of size 2 and stride 2, to a dense layer of units. Each pooling halves h and w, rounded down. It panics if h, w, channels or
// units is not positive, if pools is negative, or if h or w is too small to be pooled that often.
func FirstDenseWeights(h, w, channels, pools, units int) int {
	panic("TODO: FirstDenseWeights")
}
