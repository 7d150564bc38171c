package main

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"

	"whyhow/scripts/internal/figures"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

func (a *app) figure() *cobra.Command {
	var reference, open, asJSON bool
	c := &cobra.Command{
		Use:   "figure KATA",
		Short: "Draw what the why steps found with your code",
		Long: `Figure runs the why steps of a kata on your code, draws what they recorded as SVG and PNG, and prints the files' names.
A step that does not pass has no figure.`,
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: a.complete,
		RunE: func(c *cobra.Command, args []string) error {
			w, k, err := a.open(args[0])
			if err != nil {
				return err
			}
			runner, err := gotest.New(w.Root)
			if err != nil {
				return err
			}
			dir, err := state(w)
			if err != nil {
				return err
			}
			var why []string
			for _, s := range k.Steps {
				if s.Kind == workbook.Why {
					why = append(why, s.Test)
				}
			}
			subject, err := a.subject(k, reference)
			if err != nil {
				return err
			}
			gallery := figures.Gallery{Dir: dir}
			r, err := runner.Run(c.Context(), k, subject, gotest.Options{Only: why, NoVet: true, ArtifactDir: gallery.Data(k, cmp.Or(subject.Name, gotest.Learner)), Slow: a.slow()}, nil)
			if err != nil {
				return err
			}
			if r.Build != nil {
				fmt.Fprint(a.talk, view(w, k).Build(r.Build, false))
				return errFailed
			}
			if !r.Solved() {
				fmt.Fprint(a.talk, view(w, k).Found(r, workbook.Why, false))
			}
			files, err := gallery.Draw(r)
			if err != nil {
				return err
			}
			for _, f := range files {
				if asJSON {
					err = a.line(map[string]any{"schema": gotest.Schema, "kata": k.Name, "file": f})
				} else {
					_, err = fmt.Fprintln(a.out, shown(f))
				}
				if err == nil && open && filepath.Ext(f) == ".png" {
					err = display(f)
				}
				if err != nil {
					return err
				}
			}
			if !r.Solved() {
				fmt.Fprintf(a.talk, "\n%d of %d why steps pass; the others have no figure\n", r.Passed(), len(r.Steps))
				return errFailed
			}
			return nil
		},
	}
	c.Flags().BoolVar(&reference, "reference", false, "draw what the reference solution finds")
	c.Flags().BoolVar(&open, "open", false, "open the figures with the desktop's viewer")
	c.Flags().BoolVar(&asJSON, "json", false, "print a line of JSON a file")
	return c
}

// display opens a file with the desktop's viewer and doesn't wait for it.
func display(file string) error {
	viewer := map[string][]string{"darwin": {"open"}, "windows": {"cmd", "/c", "start", ""}}[runtime.GOOS]
	if viewer == nil {
		viewer = []string{"xdg-open"}
	}
	return exec.Command(viewer[0], append(viewer[1:], file)...).Start()
}
