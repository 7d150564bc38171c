package check

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"gonum.org/v1/gonum/mat"

	"whyhow/katas/kit/tensor"
)

const goldenFile = "testdata/torch.json"

// Golden returns one section of the kata's golden cases, testdata/torch.json, computed with PyTorch in
// float64. C is a struct with a field for every key of a case, in any case of letters.
func Golden[C any](t testing.TB, section string) []C {
	t.Helper()
	data, err := os.ReadFile(goldenFile)
	if err != nil {
		t.Fatalf("check: the golden cases are gone: %v; restore the file", err)
	}
	var file struct {
		Torch, NumPy string
		Seed         int
		Cases        map[string]json.RawMessage
	}
	decode(t, data, &file)
	raw, ok := file.Cases[section]
	if !ok {
		t.Fatalf("check: %s has no section %q", goldenFile, section)
	}
	var cases []C
	decode(t, raw, &cases)
	if len(cases) == 0 {
		t.Fatalf("check: section %q of %s is empty", section, goldenFile)
	}
	return cases
}

func decode(t testing.TB, data []byte, into any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		t.Fatalf("check: %s: %v", goldenFile, err)
	}
}

// Array is an array of a golden case: its shape and its values in row-major order. A scalar has no shape.
type Array struct {
	Shape []int
	Data  []float64
}

// Floats returns a copy of the values.
func (a Array) Floats() []float64 { return Copy(a.Data) }

// Float returns the value of a scalar. It panics if there is not exactly one.
func (a Array) Float() float64 {
	if len(a.Data) != 1 {
		panic("check: Float of an array that is no scalar")
	}
	return a.Data[0]
}

// Ints returns the values as ints. It panics if one is not whole.
func (a Array) Ints() []int {
	out := make([]int, len(a.Data))
	for i, v := range a.Data {
		if out[i] = int(v); float64(out[i]) != v {
			panic("check: Ints of an array with a fraction")
		}
	}
	return out
}

// Dense returns a copy as a matrix. It panics if the array is not two-dimensional.
func (a Array) Dense() *mat.Dense {
	a.must(2)
	return mat.NewDense(a.Shape[0], a.Shape[1], a.Floats())
}

// CHW returns a copy as an image of channels, rows, columns. It panics if the array is not three-dimensional.
func (a Array) CHW() tensor.CHW {
	a.must(3)
	return tensor.NewCHW(a.Shape[0], a.Shape[1], a.Shape[2], a.Floats())
}

// OIHW returns a copy as kernels: output channels, input channels, rows, columns. It panics if the array is not four-dimensional.
func (a Array) OIHW() tensor.OIHW {
	a.must(4)
	return tensor.NewOIHW(a.Shape[0], a.Shape[1], a.Shape[2], a.Shape[3], a.Floats())
}

func (a Array) must(dims int) {
	if len(a.Shape) != dims {
		panic("check: the golden array has another number of dimensions")
	}
}
