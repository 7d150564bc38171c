package main

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/bundle"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/terminal"
	"whyhow/scripts/internal/workbook"
)

// exportFlags are the flags of kata export.
type exportFlags struct {
	katas         []string
	workflow      string
	hints, vendor bool
	zip, json     bool
}

func (a *app) export() *cobra.Command {
	var f exportFlags
	c := &cobra.Command{
		Use:   "export DIR",
		Short: "Make a student's workbook: stubs, tests, texts, and no solution",
		Long: `Export makes the folder DIR, or with --zip the archive DIR.zip, to hand out: the stubs, the visible tests and texts of katas, by default of all, and a
README that says how to work with plain go test and what to hand in. Nothing else leaves: a file must be listed in katas/SHA256SUMS and be as it is
listed there. The same export twice is the same to the byte.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("export needs one folder to make")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			w, err := workbook.Open(a.dir)
			if err != nil {
				return err
			}
			plan := bundle.Plan{Hints: f.hints, Vendor: f.vendor, Workflow: f.workflow != ""}
			if f.workflow != "" && f.workflow != "github" {
				return usageError{workbook.Errorf("--workflow github", "there is no workflow for %q", f.workflow)}
			}
			if plan.Katas, err = listed(c, w, f.katas); err != nil {
				return err
			}
			dir := filepath.Clean(args[0])
			path := dir
			if f.zip {
				dir = strings.TrimSuffix(dir, ".zip")
				path = dir + ".zip"
			}
			if err := bundle.Free(w, path); err != nil {
				return usageError{err}
			}
			b, left, err := bundle.Student(c.Context(), w, plan)
			if err != nil {
				return err
			}
			if f.zip {
				err = b.WriteZip(c.Context(), path, filepath.Base(dir))
			} else {
				err = b.WriteDir(c.Context(), path)
			}
			if err != nil {
				return err
			}
			if f.json {
				return a.exportLine(path, b, plan)
			}
			return a.exportDone(path, dir, b, plan, left)
		},
	}
	listFlag(c, &f.katas, "hand out")
	c.Flags().BoolVar(&f.hints, "hints", false, "the hints too")
	c.Flags().BoolVar(&f.vendor, "vendor", false, "the libraries too: it builds offline")
	c.Flags().StringVar(&f.workflow, "workflow", "", "a workflow that counts the points on every push, for `SYSTEM`: github")
	c.Flags().BoolVar(&f.zip, "zip", false, "make an archive, not a folder")
	c.Flags().BoolVar(&f.json, "json", false, "print what was made as a line of JSON")
	return c
}

// exportDone says what was made, and what to do with it.
func (a *app) exportDone(path, dir string, b *bundle.Bundle, p bundle.Plan, left []string) error {
	fmt.Fprintf(a.out, "%s: %d %s, %d files, %s\n\n", path, len(p.Katas), terminal.Plural(len(p.Katas), "kata", "katas"), len(b.Files()), bytes(b.Size()))
	width := 0
	for _, k := range p.Katas {
		width = max(width, len(k.Title))
	}
	for _, k := range p.Katas {
		if _, err := fmt.Fprintf(a.out, "  %s  %-*s  %d steps  %2d points  %s\n", k.Number, width, k.Title, len(k.Steps), bundle.Points(k), bundle.HandIn(k)); err != nil {
			return err
		}
	}
	holds := []string{"no hints", "go downloads the libraries"}
	if p.Hints {
		holds[0] = "with hints"
	}
	if p.Vendor {
		holds[1] = "builds offline"
	}
	if p.Workflow {
		holds = append(holds, "points on every push: .github/workflows/points.yml")
	}
	fmt.Fprintf(a.talk, "\n%s\n", strings.Join(holds, "; "))
	if len(left) > 0 {
		fmt.Fprintf(a.talk, "stays here, for %s does not list it: %s\n", workbook.SumsFile, strings.Join(left, ", "))
	}
	if path == dir {
		fmt.Fprintf(a.talk, "next: read %s, what your students read first; (cd %s && go test ./...) says of every step that it is not implemented yet\n", filepath.Join(dir, "README.md"), dir)
	} else {
		fmt.Fprintf(a.talk, "next: hand it out; it unpacks into a folder %s, with a README.md that students read first\n", filepath.Base(dir))
	}
	return nil
}

func bytes(n int64) string {
	if n < 1e6 {
		return fmt.Sprintf("%.0f KB", float64(n)/1e3)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1e6)
}

// exportLine is what a program reads of an export.
func (a *app) exportLine(path string, b *bundle.Bundle, p bundle.Plan) error {
	type entry struct {
		Kata   string `json:"kata"`
		File   string `json:"file"`
		Points int    `json:"points"`
	}
	abs, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	katas := []entry{}
	for _, k := range p.Katas {
		katas = append(katas, entry{k.Name, bundle.HandIn(k), bundle.Points(k)})
	}
	return a.line(struct {
		Schema int     `json:"schema"`
		Path   string  `json:"path"`
		Files  int     `json:"files"`
		Bytes  int64   `json:"bytes"`
		Katas  []entry `json:"katas"`
	}{gotest.Schema, abs, len(b.Files()), b.Size(), katas})
}
