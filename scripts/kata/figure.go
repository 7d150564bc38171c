package main

import (
	"cmp"
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/spf13/cobra"

	"whyhow/katas/kit/figure"
	"whyhow/scripts/internal/figures"
	"whyhow/scripts/internal/gotest"
	"whyhow/scripts/internal/workbook"
)

// figureFlags are the flags of kata figure.
type figureFlags struct{ reference, open, json bool }

func (a *app) figure() *cobra.Command {
	var f figureFlags
	c := &cobra.Command{
		Use:   "figure KATA",
		Short: "Draw what the why steps found with your code",
		Long: `Figure runs the why steps of a kata on your code, draws what they recorded as SVG and PNG, and prints the files' names.
A step that does not pass has no figure.`,
		Args:              words(1, 1),
		ValidArgsFunction: a.complete,
		RunE: func(c *cobra.Command, args []string) error {
			w, k, err := a.open(args[0])
			if err != nil {
				return err
			}
			r, files, err := a.draw(c.Context(), w, k, f)
			if err != nil {
				return err
			}
			for _, file := range files {
				if err := a.present(k, file, f); err != nil {
					return err
				}
			}
			if r.Solved() && len(files) == 0 {
				fmt.Fprintln(a.talk, "no figure was recorded")
				return errFailed
			}
			if !r.Solved() {
				if r.Build == nil {
					fmt.Fprintf(a.talk, "\n%d of %d why steps pass; the others have no figure\n", r.Passed(), len(r.Steps))
				}
				return errFailed
			}
			return nil
		},
	}
	c.Flags().BoolVar(&f.reference, "reference", false, "draw what the reference solution finds")
	c.Flags().BoolVar(&f.open, "open", false, "open the figures with the desktop's viewer")
	c.Flags().BoolVar(&f.json, "json", false, "print a line of JSON a file")
	return c
}

// draw runs the why steps, says which fail, and draws what the others recorded.
func (a *app) draw(ctx context.Context, w *workbook.Workbook, k *workbook.Kata, f figureFlags) (r *gotest.Report, files []string, err error) {
	runner, err := gotest.New(w.Root)
	if err != nil {
		return nil, nil, err
	}
	dir, err := state(w)
	if err != nil {
		return nil, nil, err
	}
	subject, err := a.subject(k, f.reference)
	if err != nil {
		return nil, nil, err
	}
	gallery := figures.Gallery{Dir: dir}
	o := gotest.Options{NoVet: true, ArtifactDir: gallery.Data(k, cmp.Or(subject.Name, gotest.Learner)), Slow: a.slow()}
	for _, s := range k.Steps {
		if s.Kind == workbook.Why {
			o.Only = append(o.Only, s.Test)
		}
	}
	if r, err = runner.Run(ctx, k, subject, o, nil); err != nil {
		return nil, nil, err
	}
	if r.Build != nil {
		fmt.Fprint(a.talk, a.view(w, k).Build(r.Build, false))
	} else if !r.Solved() {
		fmt.Fprint(a.talk, a.view(w, k).Found(r, workbook.Why, false))
	}
	for _, s := range r.Steps {
		for _, m := range s.Messages {
			if s.Status == gotest.Pass && strings.HasPrefix(m.Text, figure.Log) {
				fmt.Fprintf(a.talk, "%s: %s\n", s.Test, m.Text)
			}
		}
	}
	files, err = gallery.Draw(r)
	return r, files, err
}

// present prints a figure's file, and opens it if that is asked for.
func (a *app) present(k *workbook.Kata, file string, f figureFlags) (err error) {
	if f.json {
		err = a.line(map[string]any{"schema": gotest.Schema, "kata": k.Name, "file": file})
	} else {
		_, err = fmt.Fprintln(a.out, shown(file))
	}
	if err == nil && f.open && filepath.Ext(file) == ".png" {
		err = display(file)
	}
	return err
}

// display opens a file with the desktop's viewer and doesn't wait for it.
func display(file string) error {
	viewer := map[string][]string{"darwin": {"open"}, "windows": {"cmd", "/c", "start", ""}}[runtime.GOOS]
	if viewer == nil {
		viewer = []string{"xdg-open"}
	}
	return exec.Command(viewer[0], append(viewer[1:], file)...).Start()
}
