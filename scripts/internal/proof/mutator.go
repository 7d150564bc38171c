package proof

import (
	"bytes"
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"whyhow/scripts/internal/contract"
)

// mutant is a small change of one function of the reference, such as a slip makes.
type mutant struct {
	In       string // the function or method
	Line     int    // where it begins
	Operator string // the kind of change
	Change   string // the statement before → after, each on one line
	Nth      int    // of the mutants of this function that read the same, from 1
	source   []byte // the reference with the change
	extra    string // declarations that the change needs; source has them
}

// String is how equivalents.yaml names a mutant of a function. It does not depend on lines.
func (m mutant) String() string {
	s := m.Operator + ": " + m.Change
	if m.Nth > 1 {
		s += fmt.Sprintf(" #%d", m.Nth)
	}
	return s
}

// mutator makes the mutants of a file, one node after the other.
type mutator struct {
	goFile
	info     *types.Info
	fn       *ast.FuncDecl
	stack    []ast.Node        // the nodes around n, and n
	skipped  map[ast.Node]bool // with all below them
	returned map[types.Object]bool
	made     []mutant
	seen     map[string]bool // the sources of made, without blanks
	naming   bool            // the texts promise what an error names
}

// mutate returns the mutants of every function of the file. Not all need compile.
func (f goFile) mutate(info *types.Info) []mutant {
	m := &mutator{goFile: f, info: info, skipped: map[ast.Node]bool{}, seen: map[string]bool{}}
	for _, d := range f.Decls {
		if fn, ok := d.(*ast.FuncDecl); ok {
			m.naming = m.naming || namesOne.MatchString(flat(fn.Doc.Text()))
		}
	}
	for _, d := range f.Decls {
		fn, ok := d.(*ast.FuncDecl)
		if !ok || fn.Body == nil {
			continue
		}
		m.fn, m.returned = fn, m.results(fn)
		ast.PreorderStack(fn.Body, nil, func(n ast.Node, stack []ast.Node) bool {
			if m.skipped[n] {
				return false
			}
			m.stack = append(slices.Clone(stack), n)
			m.visit(n)
			return true
		})
	}
	return m.made
}

// visit applies every operator that fits n.
func (m *mutator) visit(n ast.Node) {
	switch n := n.(type) {
	case *ast.ArrayType:
		m.skipped[n] = true
	case *ast.BasicLit:
		m.literal(n)
	case *ast.Ident:
		m.named(n, n)
	case *ast.SelectorExpr:
		m.skipped[n.Sel] = true
		m.named(n, n.Sel)
	case *ast.UnaryExpr:
		m.unary(n)
	case *ast.BinaryExpr:
		m.binary(n)
	case *ast.CallExpr:
		m.call(n)
	case *ast.CompositeLit:
		m.swaps(n.Elts, func(i, j int) bool { return types.Identical(m.typeOf(n.Elts[i]), m.typeOf(n.Elts[j])) })
		m.skipped[n.Type] = true
	case *ast.IndexExpr:
		m.index(n)
	case *ast.SliceExpr:
		m.slice(n)
	case *ast.AssignStmt:
		m.assignment(n)
	case *ast.IncDecStmt:
		m.replace("arithmetic", n, m.text(n.X)+map[token.Token]string{token.INC: "--", token.DEC: "++"}[n.Tok])
		m.remove("statement", n)
	case *ast.ExprStmt:
		m.expression(n)
	case *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt:
		m.remove("statement", n)
	case *ast.DeclStmt:
		m.declaration(n)
	case *ast.BranchStmt:
		if n.Label == nil && n.Tok != token.FALLTHROUGH {
			m.remove("exit", n)
		}
	case *ast.ReturnStmt:
		if m.refuses(n) { // what stands beside an error is not promised
			m.skip(n.Results[:len(n.Results)-1]...)
			return
		}
		m.swaps(n.Results, func(i, j int) bool { return types.Identical(m.typeOf(n.Results[i]), m.typeOf(n.Results[j])) })
	case *ast.IfStmt:
		m.branch(n)
	case *ast.ForStmt:
		m.loop(n)
	case *ast.RangeStmt:
		m.rangeLoop(n)
	case *ast.CaseClause:
		m.remove("case", n)
		for i := range n.List {
			if len(n.List) > 1 {
				m.drop("case", n.List, i)
			}
		}
	}
}

func (m *mutator) skip(all ...ast.Expr) {
	for _, e := range all {
		m.skipped[e] = true
	}
}

// around returns the node that is up nodes above the one that is looked at.
func (m *mutator) around(up int) ast.Node {
	if up >= len(m.stack) {
		return nil
	}
	return m.stack[len(m.stack)-1-up]
}

func (m *mutator) parentOf(n ast.Node) ast.Node {
	if i := slices.Index(m.stack, n); i > 0 {
		return m.stack[i-1]
	}
	return nil
}

// splice replaces a part of a text.
type splice struct {
	from, to int
	with     string
	shown    string // what stands for with in the name of a mutant, if that is too long
}

func insertion(at int, text string) splice { return splice{from: at, to: at, with: text} }

// spliced returns source with the parts replaced, which do not overlap.
func spliced(source []byte, parts []splice) []byte {
	parts = slices.SortedStableFunc(slices.Values(parts), func(a, b splice) int { return cmp.Compare(a.from, b.from) })
	var out []byte
	at := 0
	for _, p := range parts {
		out = append(append(out, source[at:p.from]...), p.with...)
		at = p.to
	}
	return append(out, source[at:]...)
}

func (m *mutator) splice(n ast.Node, with string) splice {
	return splice{from: m.offset(n.Pos()), to: m.offset(n.End()), with: with}
}

func (m *mutator) replace(operator string, n ast.Node, with string) {
	m.edit(operator, m.splice(n, with))
}

func (m *mutator) remove(operator string, n ast.Node) { m.replace(operator, n, "") }

func (m *mutator) edit(operator string, edits ...splice) { m.editWith("", operator, edits...) }

// editWith adds a mutant, unless there is one of the same source.
func (m *mutator) editWith(extra, operator string, edits ...splice) {
	source := spliced(m.source, edits)
	if extra != "" {
		source = append(source, extra...)
	}
	key := strings.Join(strings.Fields(string(source)), "")
	if m.seen[key] {
		return
	}
	m.seen[key] = true
	from, to := m.statement(edits)
	m.made = append(m.made, mutant{
		In: contract.FunctionName(m.fn), Line: 1 + bytes.Count(m.source[:edits[0].from], []byte("\n")), Operator: operator, source: source, extra: extra,
		Change: m.line(from, to, nil) + " → " + cmp.Or(m.line(from, to, edits), "nothing"),
	})
}

// statement returns where the innermost statement begins and ends that holds the edits: of one with a body, only what stands
// before it, if the edits are there.
func (m *mutator) statement(edits []splice) (from, to int) {
	first, last := edits[0].from, edits[0].to
	for _, e := range edits[1:] {
		first, last = min(first, e.from), max(last, e.to)
	}
	for i := len(m.stack) - 1; i >= 0; i-- {
		s, ok := m.stack[i].(ast.Stmt)
		if _, block := s.(*ast.BlockStmt); !ok || block {
			continue
		}
		from, to = m.offset(s.Pos()), m.offset(s.End())
		if first < from || last > to {
			continue
		}
		head := to
		switch s := s.(type) {
		case *ast.IfStmt:
			head = m.offset(s.Body.Lbrace) + 1
		case *ast.ForStmt:
			head = m.offset(s.Body.Lbrace) + 1
		case *ast.RangeStmt:
			head = m.offset(s.Body.Lbrace) + 1
		case *ast.CaseClause:
			head = m.offset(s.Colon) + 1
		}
		if last <= head {
			to = head
		}
		return from, to
	}
	return m.statement(edits[:1]) // of those in several statements
}

// line returns a part of the source with edits on one line, blocks that are not edited as {…}.
func (m *mutator) line(from, to int, edits []splice) string {
	var parts []splice
	for _, e := range edits {
		if e.from >= from && e.to <= to {
			parts = append(parts, splice{from: e.from - from, to: e.to - from, with: cmp.Or(e.shown, e.with)})
		}
	}
	edited := parts
	ast.Inspect(m.fn, func(n ast.Node) bool {
		b, ok := n.(*ast.BlockStmt)
		if !ok {
			return true
		}
		begin, end := m.offset(b.Lbrace)+1-from, m.offset(b.Rbrace)-from
		touches := func(e splice) bool { return e.from <= end && e.to >= begin }
		if begin < 1 || end > to-from || end-begin < 30 || slices.ContainsFunc(edited, touches) {
			return true
		}
		parts = append(parts, splice{from: begin, to: end, with: "…"})
		return false
	})
	return flat(string(spliced(m.source[from:to], parts)))
}

func (m *mutator) typeOf(e ast.Expr) types.Type {
	if t := m.info.TypeOf(e); t != nil {
		return t
	}
	return types.Typ[types.Invalid]
}

func (m *mutator) constant(e ast.Expr) bool { return m.info.Types[e].Value != nil }

func isLiteral(e ast.Expr) bool {
	_, literal := e.(*ast.BasicLit)
	return literal
}

func isBasic(t types.Type, kind types.BasicKind) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Kind() == kind
}

func hasInfo(t types.Type, info types.BasicInfo) bool {
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&info != 0
}

func isInteger(t types.Type) bool { return hasInfo(t, types.IsInteger) }

func isFloat(t types.Type) bool { return hasInfo(t, types.IsFloat) }

func isString(t types.Type) bool { return hasInfo(t, types.IsString) }
