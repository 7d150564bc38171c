package workbook

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// Equivalent are mutants of one function that do what the function does.
type Equivalent struct {
	In      string   // the function or method, Layer.Train
	Because string   // why no test can tell them from it
	Mutants []string // as kata mutants prints them
	Line    int      // in equivalents.yaml
}

// Equivalents reads equivalents.yaml; without the file there are none. Unknown keys and missing ones are errors.
func (k *Kata) Equivalents() ([]Equivalent, error) {
	file := filepath.Join(k.SolutionDir(), "equivalents.yaml")
	text, err := ReadText(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var nodes []ast.Node
	if err := k.unmarshal(file, text, &nodes); err != nil {
		return nil, err
	}
	var entries []struct{ In, Because, Mutants string }
	if err := k.unmarshal(file, text, &entries); err != nil {
		return nil, err
	}
	var all []Equivalent
	for i, e := range entries {
		one := Equivalent{In: e.In, Because: e.Because, Line: nodes[i].GetToken().Position.Line}
		for line := range strings.Lines(e.Mutants) {
			if line = strings.TrimSpace(line); line != "" {
				one.Mutants = append(one.Mutants, line)
			}
		}
		if one.In == "" || one.Because == "" || len(one.Mutants) == 0 {
			return nil, fmt.Errorf("%s:%d: an entry needs in, because and mutants", k.Display(file), one.Line)
		}
		all = append(all, one)
	}
	return all, nil
}
