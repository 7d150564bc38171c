// Package contract reads what a Go file declares: what a kata's stub, its reference and a learner's file have in common.
package contract

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/printer"
	"go/token"
	"strings"
)

// Declaration is a function, a method, a type, a constant or a variable of a file.
type Declaration struct {
	Name     string // Stats, Layer.Train
	Exported bool   // of a method, the receiver's type too
	Doc      string
	Line     int    // of its name
	Text     string // the declaration without body and doc, of a struct with exported fields alone
	Shape    string // what a caller depends on: the types, without parameter names
}

// Parse reads the declarations of a file, in their order. source is as for [parser.ParseFile].
func Parse(file string, source any) ([]Declaration, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, source, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	return Of(fset, f), nil
}

// Exported are the exported ones of all.
func Exported(all []Declaration) (exported []Declaration) {
	for _, d := range all {
		if d.Exported {
			exported = append(exported, d)
		}
	}
	return exported
}

// Of returns the declarations of a parsed file, in their order.
func Of(fset *token.FileSet, f *ast.File) []Declaration {
	var all []Declaration
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			all = append(all, function(fset, d))
		case *ast.GenDecl:
			for _, s := range d.Specs {
				switch s := s.(type) {
				case *ast.TypeSpec:
					all = append(all, typeOf(fset, d, s))
				case *ast.ValueSpec:
					all = append(all, values(fset, d, s)...)
				}
			}
		}
	}
	return all
}

// FunctionName is Stats, or Layer.Train for a method, be its receiver a pointer, a value or generic.
func FunctionName(f *ast.FuncDecl) string {
	if receiver := receiverOf(f); receiver != "" {
		return receiver + "." + f.Name.Name
	}
	return f.Name.Name
}

func receiverOf(f *ast.FuncDecl) string {
	if f.Recv == nil || len(f.Recv.List) == 0 {
		return ""
	}
	t := f.Recv.List[0].Type
	for {
		switch inner := t.(type) {
		case *ast.StarExpr:
			t = inner.X
		case *ast.IndexExpr:
			t = inner.X
		case *ast.IndexListExpr:
			t = inner.X
		case *ast.Ident:
			return inner.Name
		default:
			return ""
		}
	}
}

func function(fset *token.FileSet, f *ast.FuncDecl) Declaration {
	signature := *f
	signature.Doc, signature.Body = nil, nil
	d := Declaration{
		Name: FunctionName(f), Doc: f.Doc.Text(), Line: fset.Position(f.Name.Pos()).Line, Text: print(&signature),
		Exported: f.Name.IsExported(),
		Shape:    parameters(f.Type.TypeParams) + parameters(f.Type.Params) + parameters(f.Type.Results),
	}
	if receiver := receiverOf(f); receiver != "" {
		d.Exported = d.Exported && ast.IsExported(receiver)
		d.Shape = print(f.Recv.List[0].Type) + d.Shape
	}
	return d
}

func typeOf(fset *token.FileSet, d *ast.GenDecl, s *ast.TypeSpec) Declaration {
	shown := *s
	shown.Doc, shown.Comment, shown.Type = nil, nil, visible(s.Type)
	return Declaration{
		Name: s.Name.Name, Exported: s.Name.IsExported(), Doc: s.Doc.Text() + d.Doc.Text(), Line: fset.Position(s.Name.Pos()).Line,
		Text: "type " + print(&shown), Shape: parameters(s.TypeParams) + strings.Join(strings.Fields(print(shown.Type)), " "),
	}
}

func values(fset *token.FileSet, d *ast.GenDecl, s *ast.ValueSpec) []Declaration {
	shown := *s
	shown.Doc, shown.Comment = nil, nil
	var all []Declaration
	for _, n := range s.Names {
		all = append(all, Declaration{
			Name: n.Name, Exported: n.IsExported(), Doc: s.Doc.Text() + d.Doc.Text() + s.Comment.Text(), Line: fset.Position(n.Pos()).Line,
			Text: d.Tok.String() + " " + print(&shown),
		})
	}
	return all
}

// parameters prints a parameter list without its names: (int, int) for (a, b int).
func parameters(fields *ast.FieldList) string {
	if fields == nil {
		return "()"
	}
	var all []string
	for _, f := range fields.List {
		for range max(1, len(f.Names)) {
			all = append(all, print(f.Type))
		}
	}
	return "(" + strings.Join(all, ", ") + ")"
}

// visible drops the unexported fields of a struct, and the comments: they are its owner's affair.
func visible(t ast.Expr) ast.Expr {
	st, ok := t.(*ast.StructType)
	if !ok {
		return t
	}
	shown := &ast.FieldList{}
	for _, field := range st.Fields.List {
		kept := &ast.Field{Type: field.Type, Tag: field.Tag}
		for _, name := range field.Names {
			if name.IsExported() {
				kept.Names = append(kept.Names, ast.NewIdent(name.Name))
			}
		}
		if len(kept.Names) > 0 || len(field.Names) == 0 {
			shown.List = append(shown.List, kept)
		}
	}
	return &ast.StructType{Fields: shown}
}

// print writes a node without regard to where it stood.
func print(n ast.Node) string {
	var b bytes.Buffer
	if err := printer.Fprint(&b, token.NewFileSet(), n); err != nil {
		return err.Error()
	}
	return b.String()
}
