package proof

import (
	"fmt"
	"go/ast"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"whyhow/scripts/internal/contract"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// What a stub's package comment says of all its functions: once, so that every test may hold them to it.
const (
	independence = "Unless a comment says otherwise, a function changes none of its arguments, keeps nothing from one call to the next, and returns memory of its own: " +
		"what it returns shares none with an argument nor with another result."
	views    = "A matrix may be a view of a larger one."
	prefixes = "A caller's error panics with a message that begins with %q."
)

// conventions holds that the package comments of stub and reference say what the tests judge of all functions.
func (p *proof) conventions(stub, reference goFile) {
	text := flat(stub.Doc.Text())
	says := func(sentence string) {
		p.check(strings.Contains(text, sentence), p.kata.File, "its package comment lacks the sentence\n    %s", sentence)
	}
	says(independence)
	functions := stub.functions()
	if slices.ContainsFunc(functions, func(f function) bool { return strings.Contains(stub.text(f.Type.Params), "mat.Dense") }) {
		says(views)
	}
	if slices.ContainsFunc(functions, func(f function) bool { return f.panics > 0 }) {
		says(fmt.Sprintf(prefixes, p.kata.Package+": "))
	}
	p.check(reference.Doc.Text() == stub.Doc.Text(), p.kata.Reference(), "its package comment differs from the stub's")
}

// function is an exported function of the contract, with how many cases its comment speaks of in which it refuses its arguments.
type function struct {
	*ast.FuncDecl
	name          string // Stats, Layer.Train
	panics, fails int
}

func (f function) short() string { return f.Name.Name }

// functions returns the contract's functions, in their order.
func (f goFile) functions() []function {
	var all []function
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || !fn.Name.IsExported() {
			continue
		}
		all = append(all, function{FuncDecl: fn, name: contract.FunctionName(fn)})
	}
	count := func(name string, of func(function) int) int {
		for _, other := range all {
			if other.short() == name {
				return of(other)
			}
		}
		return 0
	}
	for i := range all { // a function speaks of another that stands before it
		var paragraphs []string
		for _, p := range strings.Split(all[i].Doc.Text(), "\n\n") {
			paragraphs = append(paragraphs, flat(p))
		}
		doc := strings.Join(paragraphs, ". ")
		all[i].panics = promises(doc, panicsIf, all[i].Type.Params.NumFields(), func(name string) int {
			return count(name, func(o function) int { return max(o.panics, o.fails) })
		})
		all[i].fails = promises(doc, failsIf, all[i].Type.Params.NumFields(), func(name string) int {
			return count(name, func(o function) int { return o.fails })
		})
	}
	return all
}

var (
	panicsIf = regexp.MustCompile(`\bpanics (if|unless|where|as)\b(.*)`)
	failsIf  = regexp.MustCompile(`()(.*\b(?:returns an error|is an error|are errors)\b.*|^The error (?:names|quotes).*)`)

	sentenceEnd = regexp.MustCompile(`[.:;] +(?:[A-Z]|it )`)
	elsewhere   = regexp.MustCompile(`\b(?:where|as) (\w+) (?:does|would|returns an error)\b`)
	interval    = regexp.MustCompile(`[\[(][^\]\[() ]+, [^\]\[() ]+[\])]|\S+…\S+`)
	oneMore     = regexp.MustCompile(`,? (?:or|and) |, `)
	bothWays    = regexp.MustCompile(`\b(?:another|other than|not the shape|not one|shapes do not|shapes differ)\b`)
	ordered     = regexp.MustCompile(`[<≤]`)
)

// promises counts the cases of which doc speaks in the sentences that match: each “or”, “and” and comma is one more, a size that must be another's may be too
// small and too large, and what holds where another function refuses its arguments counts as that one's.
func promises(doc string, match *regexp.Regexp, parameters int, of func(name string) int) (n int) {
	for _, sentence := range sentences(doc) {
		found := match.FindStringSubmatch(sentence)
		if found == nil || match == failsIf && strings.Contains(sentence, "panics") {
			continue
		}
		word, clause := found[1], found[2]
		if at := strings.Index(clause, "Source:"); at >= 0 {
			clause = clause[:at]
		}
		for _, ref := range elsewhere.FindAllStringSubmatch(word+clause, -1) {
			n += of(ref[1]) - 1
		}
		n += len(interval.FindAllString(clause, -1))
		clause = interval.ReplaceAllString(clause, "an interval")
		if word == "unless" {
			n += max(len(ordered.FindAllString(clause, -1))-1, 0)
		}
		if match == panicsIf {
			n += len(bothWays.FindAllString(clause, -1))
		} else {
			clause = strings.ReplaceAll(clause, " and not ", " ")
		}
		if strings.Contains(clause, "an argument") {
			n += parameters - 1
		}
		n += 1 + len(oneMore.FindAllString(clause, -1))
	}
	return n
}

// sentences cuts a comment at the ends of its sentences; a colon or a semicolon ends one too where another begins.
func sentences(doc string) []string {
	var all []string
	for {
		end := sentenceEnd.FindStringIndex(doc)
		if end == nil {
			return append(all, doc)
		}
		all = append(all, doc[:end[0]])
		doc = strings.TrimSpace(doc[end[0]+1:])
	}
}

// kept holds text and tests to each other: each case in which a function refuses its arguments, by its comment, was tried, and none other.
func (p *proof) kept(stub goFile, report *gotest.Report) {
	how := filepath.Join(p.kata.Dir, "how_test.go")
	functions := stub.functions()
	panics, fails := map[string]int{}, map[string]int{}
	for _, s := range report.Steps {
		if s.Kind == workbook.Hidden {
			continue // a learner must see what a comment's words mean
		}
		for _, c := range s.Cases {
			kind, call, _ := strings.Cut(c, " ")
			promised, counted := false, panics
			if kind == "fails" {
				counted = fails
			}
			for _, f := range functions {
				if !mentions(call, f.short()) {
					continue
				}
				counted[f.name]++
				promised = promised || kind == "panics" && f.panics > 0 || kind == "fails" && f.fails > 0
			}
			p.check(promised, how, "%s: the case %q holds no function to what its comment says: name the function in it, and say in the stub when it panics or returns an error", s.Test, call)
		}
	}
	for _, f := range functions {
		p.check(panics[f.name] >= f.panics, how, "%s panics in %d cases by its comment, %d are tested with check.Panics: test them all", f.name, f.panics, panics[f.name])
		p.check(fails[f.name] >= f.fails, how, "%s returns an error in %d cases by its comment, %d are tested with check.Fails: test them all", f.name, f.fails, fails[f.name])
	}
	text, err := p.kata.Readme()
	if err != nil {
		return // readme says so
	}
	readme := filepath.Join(p.kata.Dir, "README.md")
	for _, m := range readmeSays.FindAllStringSubmatch(flat(text), -1) {
		for _, f := range functions {
			if f.short() == m[1] || f.name == m[1] {
				p.check(m[2] == "panics" && f.panics > 0 || m[2] == "returns an error" && f.fails > 0, readme, "it says that %s %s, the stub does not", f.name, m[2])
			}
		}
	}
}

// readmeSays matches what a README says of a function that refuses its arguments.
var readmeSays = regexp.MustCompile("`([\\w.]+)` (panics|returns an error)")

// mentions says whether text has name as a word of its own.
func mentions(text, name string) bool {
	return regexp.MustCompile(`\b` + regexp.QuoteMeta(name) + `\b`).MatchString(text)
}

// exemption is a comment by which a test says why a function is not held to independence.
var exemption = regexp.MustCompile(`^//kata:exempt (\S+) (\S+ \S+ \S+.*)`)

// independent holds that the how steps make several calls of every function of the contract, with check.Independent, or say why not.
func (p *proof) independent(stub, how goFile) {
	file := filepath.Join(p.kata.Dir, "how_test.go")
	functions := stub.functions()
	called := map[string]bool{} // Stats, and Layer.Train for a method expression
	cover := func(n ast.Node) {
		ast.Inspect(n, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				called[s.Sel.Name], called[receiver(s.X)+"."+s.Sel.Name] = true, true
			}
			return true
		})
	}
	covered := func(f function) bool { // where several have a method of one name, the receiver must be told
		namesakes := slices.IndexFunc(functions, func(o function) bool { return o.short() == f.short() && o.name != f.name }) >= 0
		return called[f.name] || called[f.short()] && !namesakes
	}
	ast.Inspect(how.File, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) < 3 || !isCheck(call.Fun, "Independent") {
			return true
		}
		cover(call.Args[2])
		if name, ok := call.Args[2].(*ast.Ident); ok {
			for _, f := range named(how.File, name.Name) {
				cover(f)
			}
		}
		return true
	})
	exempt := map[string]bool{}
	for _, group := range how.Comments {
		for _, c := range group.List {
			if !strings.HasPrefix(c.Text, "//kata:exempt") {
				continue
			}
			m := exemption.FindStringSubmatch(c.Text)
			line := how.fset.Position(c.Pos()).Line
			if !p.check(m != nil, file, "line %d: write //kata:exempt, the function, and why it is exempt", line) {
				continue
			}
			known := slices.ContainsFunc(functions, func(f function) bool { return f.name == m[1] && !covered(f) })
			p.check(known, file, "line %d: %s is exempt, but is no function of the stub or is covered", line, m[1])
			exempt[m[1]] = true
		}
	}
	for _, f := range functions {
		p.check(covered(f) || exempt[f.name], file,
			"%s is not called several times: hold it to the package comment with check.Independent, or say //kata:exempt %s and why", f.name, f.name)
	}
}

// receiver is the type's name in a method expression: Layer in (*batchnorm.Layer).Train, where e is what stands before the method; "" elsewhere.
func receiver(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return receiver(e.X)
	case *ast.StarExpr:
		return receiver(e.X)
	case *ast.SelectorExpr:
		return e.Sel.Name
	}
	return ""
}

// isCheck says whether e is a function of package check.
func isCheck(e ast.Expr, name string) bool {
	s, ok := e.(*ast.SelectorExpr)
	if !ok || s.Sel.Name != name {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && pkg.Name == "check"
}

// named returns the functions of a name that a file declares or assigns.
func named(file *ast.File, name string) (all []ast.Node) {
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv == nil && n.Name.Name == name {
				all = append(all, n)
			}
		case *ast.AssignStmt:
			for i, left := range n.Lhs {
				if id, ok := left.(*ast.Ident); ok && id.Name == name && i < len(n.Rhs) {
					all = append(all, n.Rhs[i])
				}
			}
		}
		return true
	})
	return all
}
