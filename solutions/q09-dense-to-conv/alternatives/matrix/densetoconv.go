// Package densetoconv is another right answer: it lays all windows out as the columns of a matrix, so that the score map is one matrix product, and slides
// by filling its map score by score.
package densetoconv

import (
	"errors"
	"slices"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

// Kernel copies weight by weight.
func Kernel(w *mat.Dense, c, h, wd int) tensor.OIHW {
	out, in := w.Dims()
	if c*h*wd != in {
		panic(errors.New("densetoconv: the weights are for another map"))
	}
	k := tensor.NewOIHW(out, c, h, wd, nil)
	for o := range out {
		for n := range in {
			k.Set(o, n/(h*wd), n/wd%h, n%wd, w.At(o, n))
		}
	}
	return k
}

// Dense is a score map with one position.
func Dense(x tensor.CHW, w *mat.Dense, bias []float64) []float64 {
	return ScoreMap(x, w, bias, x.H, x.W).Data
}

// ScoreMap multiplies the weights with a matrix that has a column for each window.
func ScoreMap(x tensor.CHW, w *mat.Dense, bias []float64, h, wd int) tensor.CHW {
	out, in := w.Dims()
	high, wide := x.H-h+1, x.W-wd+1
	if in != x.C*h*wd || len(bias) != out || high < 1 || wide < 1 {
		panic(errors.New("densetoconv: weights, biases and map do not fit"))
	}
	windows := mat.NewDense(in, high*wide, nil)
	for i := range high {
		for j := range wide {
			windows.SetCol(i*wide+j, Crop(x, i, j, h, wd).Data)
		}
	}
	var y mat.Dense
	y.Mul(w, windows)
	y.Apply(func(o, _ int, v float64) float64 { return v + bias[o] }, &y)
	return tensor.NewCHW(out, high, wide, y.RawMatrix().Data)
}

// Crop copies row by row.
func Crop(x tensor.CHW, top, left, h, w int) tensor.CHW {
	if min(top, left) < 0 || min(h, w) < 1 || x.H < top+h || x.W < left+w {
		panic(errors.New("densetoconv: the crop is not inside the map"))
	}
	data := make([]float64, 0, x.C*h*w)
	for row := range x.C * h {
		from := ((row/h)*x.H+top+row%h)*x.W + left
		data = append(data, x.Data[from:from+w]...)
	}
	return tensor.NewCHW(x.C, h, w, data)
}

// Slide collects the scores place by place and turns the list round at the end.
func Slide(x tensor.CHW, size, stride int, score func(tensor.CHW) []float64) tensor.CHW {
	high, wide := MapSize(x.H, size, stride), MapSize(x.W, size, stride)
	var places [][]float64
	for p := range high * wide {
		places = append(places, slices.Clone(score(Crop(x, p/wide*stride, p%wide*stride, size, size))))
	}
	y := tensor.NewCHW(len(places[0]), high, wide, nil)
	for p, scores := range places {
		for o, s := range scores {
			y.Data[o*len(places)+p] = s
		}
	}
	return y
}

// MapSize counts.
func MapSize(image, trained, stride int) int {
	if trained > image || stride <= 0 || trained <= 0 {
		panic(errors.New("densetoconv: no place for a crop"))
	}
	n := 0
	for at := 0; at+trained <= image; at += stride {
		n++
	}
	return n
}

// Costs counts the places first.
func Costs(image, trained, stride, conv, dense int) (slide, whole int) {
	n := MapSize(image, trained, stride)
	head := dense * n * n
	return conv*n*n + head, head + image*image*conv/trained/trained
}
