package check

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"reflect"

	"gonum.org/v1/gonum/mat"
)

// Copy returns a deep copy of v: numbers, slices, maps, *mat.Dense, tensors, and structs of them and pointers to them. It panics on
// functions, channels and interfaces. Unexported fields of a struct are copied as they are. One matrix in eight, always the same ones, comes
// as a view of a larger matrix: code that ignores the stride is wrong on it.
func Copy[T any](v T) T {
	c := copier{matrix: func(m *mat.Dense) *mat.Dense {
		if hash(m)%8 == 0 {
			return viewOf(m, 1e3, 3)
		}
		return mat.DenseCopyOf(m)
	}}
	return c.deep(reflect.ValueOf(&v).Elem()).Interface().(T)
}

// hash is a number that depends on the first row of m alone.
func hash(m *mat.Dense) uint32 {
	h := fnv.New32a()
	for _, v := range m.RawRowView(0) {
		h.Write(binary.LittleEndian.AppendUint64(nil, math.Float64bits(v)))
	}
	return h.Sum32()
}

// viewOf returns a copy of m that is a view: it lies within a matrix of more columns, and two more rows, whose other values are all around.
func viewOf(m *mat.Dense, around float64, more int) *mat.Dense {
	rows, columns := m.Dims()
	whole := mat.NewDense(rows+2, columns+more, nil)
	whole.Apply(func(int, int, float64) float64 { return around }, whole)
	view := whole.Slice(1, 1+rows, 1, 1+columns).(*mat.Dense)
	view.Copy(m)
	return view
}

// copier makes deep copies. Its fields may all be nil.
type copier struct {
	matrix func(*mat.Dense) *mat.Dense // copies a matrix that is not empty
	room   func(of reflect.Value)      // gets every slice that is made, with elements behind its end
	opaque func(reflect.Type) bool     // values of such a type are handed on, not copied
}

func (c copier) deep(v reflect.Value) reflect.Value {
	if c.opaque != nil && c.opaque(v.Type()) {
		return v
	}
	if m, ok := v.Interface().(*mat.Dense); ok {
		switch {
		case m == nil:
			return v
		case m.IsEmpty():
			return reflect.ValueOf(new(mat.Dense))
		case c.matrix == nil:
			return reflect.ValueOf(mat.DenseCopyOf(m))
		}
		return reflect.ValueOf(c.matrix(m))
	}
	out := reflect.New(v.Type()).Elem()
	switch v.Kind() {
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		n := v.Len()
		if c.room == nil {
			out.Set(reflect.MakeSlice(v.Type(), n, n))
		} else {
			out.Set(reflect.MakeSlice(v.Type(), n, n+4))
		}
		for i := range n {
			out.Index(i).Set(c.deep(v.Index(i)))
		}
		if c.room != nil {
			c.room(out)
		}
	case reflect.Array:
		for i := range v.Len() {
			out.Index(i).Set(c.deep(v.Index(i)))
		}
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		out.Set(reflect.MakeMapWithSize(v.Type(), v.Len()))
		for it := v.MapRange(); it.Next(); {
			out.SetMapIndex(it.Key(), c.deep(it.Value()))
		}
	case reflect.Pointer:
		if v.IsNil() {
			return v
		}
		out.Set(reflect.New(v.Type().Elem()))
		out.Elem().Set(c.deep(v.Elem()))
	case reflect.Struct:
		out.Set(v) // unexported fields come along as they are
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				out.Field(i).Set(c.deep(v.Field(i)))
			}
		}
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Interface:
		panic(fmt.Sprintf("check: Copy of a %v", v.Type()))
	default:
		out.Set(v)
	}
	return out
}

// mark puts a value that nothing computes into v, a number, bool or string; other values stay zero.
func mark(v reflect.Value) {
	switch {
	case v.CanFloat():
		v.SetFloat(math.NaN())
	case v.CanInt():
		v.SetInt(-77)
	case v.CanUint():
		v.SetUint(77)
	case v.Kind() == reflect.Bool:
		v.SetBool(true)
	case v.Kind() == reflect.String:
		v.SetString("behind the end")
	}
}
