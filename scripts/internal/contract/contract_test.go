package contract

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	const source = `package p

// Layer is one.
type Layer struct {
	Gamma, Beta []float64 // what is learnt

	steps int
}

// Stats returns both.
func Stats(x []float64, n, m int) (mean, variance float64) { return 0, 0 }

func (l *Layer) Train(x []float64) []float64 { return x }

func (l hidden[T]) Exported() {}

func Map[K comparable, V any](m map[K]V) {}

// Eps is small.
const Eps, eps = 1e-5, 2

type Node interface{ Eval() float64 }

func helper() {}
`
	got, err := Parse("p.go", source)
	if err != nil {
		t.Fatal(err)
	}
	want := []Declaration{
		{Name: "Layer", Exported: true, Doc: "Layer is one.\n", Line: 4, Text: "type Layer struct {\n\tGamma, Beta []float64\n}", Shape: "()struct { Gamma, Beta []float64 }"},
		{Name: "Stats", Exported: true, Doc: "Stats returns both.\n", Line: 11, Text: "func Stats(x []float64, n, m int) (mean, variance float64)", Shape: "()([]float64, int, int)(float64, float64)"},
		{Name: "Layer.Train", Exported: true, Line: 13, Text: "func (l *Layer) Train(x []float64) []float64", Shape: "*Layer()([]float64)([]float64)"},
		{Name: "hidden.Exported", Line: 15, Text: "func (l hidden[T]) Exported()", Shape: "hidden[T]()()()"},
		{Name: "Map", Exported: true, Line: 17, Text: "func Map[K comparable, V any](m map[K]V)", Shape: "(comparable, any)(map[K]V)()"},
		{Name: "Eps", Exported: true, Doc: "Eps is small.\n", Line: 20, Text: "const Eps, eps = 1e-5, 2"},
		{Name: "eps", Doc: "Eps is small.\n", Line: 20, Text: "const Eps, eps = 1e-5, 2"},
		{Name: "Node", Exported: true, Line: 22, Text: "type Node interface{ Eval() float64 }", Shape: "()interface{ Eval() float64 }"},
		{Name: "helper", Line: 24, Text: "func helper()", Shape: "()()()"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Parse mismatch (-want +got):\n%s", diff)
	}
	if got := Exported(got); len(got) != 6 {
		t.Errorf("Exported returns %d declarations, want 6", len(got))
	}
	if _, err := Parse("p.go", "package"); err == nil {
		t.Error("Parse of half a file = nil, want an error")
	}
}
