package bundle

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"text/template"

	"golang.org/x/mod/modfile"

	"whyhow/scripts/internal/gate"
	"whyhow/scripts/internal/workbook"
)

// Plan is what a student's workbook is to hold.
type Plan struct {
	Katas    []*workbook.Kata
	Hints    bool
	Vendor   bool // the libraries too: it builds offline
	Workflow bool // GitHub Actions count the points on every push
}

// Student makes a student's workbook, which needs go test and nothing else. left is as for [Of].
func Student(ctx context.Context, w *workbook.Workbook, p Plan) (b *Bundle, left []string, err error) {
	if b, left, err = Of(w, p.Katas, p.Hints); err != nil {
		return nil, nil, err
	}
	mod, err := modfile.Parse("go.mod", b.files["go.mod"], nil)
	if err != nil {
		return nil, nil, err
	}
	for _, r := range mod.Replace {
		if r.New.Version == "" {
			return nil, nil, workbook.Errorf("take the replace directive out, and make sums", "go.mod replaces %s by the folder %s, which a student does not have", r.Old.Path, r.New.Path)
		}
	}
	s := student{Plan: p, Libraries: len(mod.Require) > 0, Licence: b.files["LICENSE"] != nil}
	if mod.Go != nil {
		s.Go = mod.Go.Version
	}
	files := []struct{ name, template string }{{"README.md", studentReadme}, {".gitignore", studentIgnore}, {".gitattributes", studentAttributes}}
	if p.Workflow {
		files = append(files, struct{ name, template string }{".github/workflows/points.yml", studentWorkflow})
		if err := b.Add(".github/points.go", []byte(studentPoints)); err != nil {
			return nil, nil, err
		}
	}
	for _, f := range files {
		t, err := template.New(f.name).Funcs(functions).Parse(f.template)
		if err != nil {
			return nil, nil, err
		}
		var text bytes.Buffer
		if err := t.Execute(&text, s); err != nil {
			return nil, nil, err
		}
		if err := b.Add(f.name, text.Bytes()); err != nil {
			return nil, nil, err
		}
	}
	if p.Vendor {
		err = b.Vendor(ctx, p.Katas)
	}
	return b, left, err
}

var (
	//go:embed student/README.md.tmpl
	studentReadme string
	//go:embed student/gitignore
	studentIgnore string
	//go:embed student/gitattributes
	studentAttributes string
	//go:embed student/points.yml.tmpl
	studentWorkflow string
	//go:embed points/points.go
	studentPoints string
)

// student is what the templates read.
type student struct {
	Plan
	Go        string // the version that go.mod asks for
	Libraries bool   // it needs some
	Licence   bool
}

// Points are those of all katas.
func (s student) Points() (sum int) {
	for _, k := range s.Katas {
		sum += Points(k)
	}
	return sum
}

// Points are those of all steps of a kata.
func Points(k *workbook.Kata) (sum int) {
	for _, step := range k.Steps {
		sum += step.Points
	}
	return sum
}

// HandIn is the path of the one file that a student hands in.
func HandIn(k *workbook.Kata) string { return k.Display(k.File) }

// Everywhere are the packages that every one of the katas may import.
func (s student) Everywhere() []string {
	all := gate.Imports(s.Katas[0])
	for _, k := range s.Katas[1:] {
		may := gate.Imports(k)
		all = slices.DeleteFunc(all, func(p string) bool { return !slices.Contains(may, p) })
	}
	return all
}

// Besides says what a kata may use besides; "" if nothing.
func (s student) Besides(k *workbook.Kata) string {
	var also []string
	for _, p := range gate.Imports(k) {
		if !slices.Contains(s.Everywhere(), p) {
			also = append(also, "`"+p+"`")
		}
	}
	if slices.Contains(k.Allow, gate.Goroutines) {
		also = append(also, "goroutines and channels")
	}
	return strings.Join(also, ", ")
}

var functions = template.FuncMap{
	"file":   HandIn,
	"folder": func(k *workbook.Kata) string { return "katas/" + k.Name },
	"points": Points,
	"upper":  strings.ToUpper,
	"code": func(names []string) string {
		var all []string
		for _, n := range names {
			all = append(all, "`"+n+"`")
		}
		return strings.Join(all, ", ")
	},
	"count": func(n int, one string) string {
		if n == 1 {
			return "1 " + one
		}
		return fmt.Sprintf("%d %ss", n, one)
	},
	"runners": func(katas []*workbook.Kata) string {
		var all []string
		for _, k := range katas {
			all = append(all, k.Number)
		}
		return strings.Join(all, ",")
	},
}
