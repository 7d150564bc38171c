// Package figures draws what a why step recorded, as SVG and PNG.
package figures

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"

	"whyhow/katas/kit/figure"
)

// Load reads a figure that figure.Save wrote. One that cannot be drawn is an error.
func Load(path string) (figure.Figure, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return figure.Figure{}, err
	}
	var f figure.Figure
	if err := json.Unmarshal(data, &f); err != nil {
		return figure.Figure{}, fmt.Errorf("%s: %w", path, err)
	}
	if err := f.Check(); err != nil {
		return figure.Figure{}, fmt.Errorf("%s: %w", path, err)
	}
	return f, nil
}

// Draw writes base.svg and base.png, 720 pixels wide at the usual 96 a inch (the PNG has twice as many), and returns
// their names. Missing folders are made. A character that the font lacks is an error.
func Draw(f figure.Figure, base string) (files []string, err error) {
	if err := f.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", base, err)
	}
	if missing := undrawable(f); missing != "" {
		return nil, fmt.Errorf("%s: the font has no %q: write it in other characters", base, missing)
	}
	if err := os.MkdirAll(filepath.Dir(base), 0o777); err != nil {
		return nil, err
	}
	s := layOut(f)
	svg := vgsvg.New(width, s.height)
	png := vgimg.PngCanvas{Canvas: vgimg.NewWith(vgimg.UseWH(width, s.height), vgimg.UseDPI(192))}
	for _, out := range []struct {
		extension string
		canvas    vg.CanvasWriterTo
	}{{".svg", svg}, {".png", png}} {
		s.draw(draw.NewCanvas(out.canvas, width, s.height))
		var b bytes.Buffer
		if _, err := out.canvas.WriteTo(&b); err != nil {
			return nil, err
		}
		data := b.Bytes()
		if out.extension == ".svg" {
			// Where Liberation Sans is not installed, fonts of the same widths, then any without serifs.
			data = bytes.ReplaceAll(data, []byte("font-family:Liberation Sans"), []byte("font-family:Liberation Sans,Arial,Helvetica,sans-serif"))
		}
		if err := os.WriteFile(base+out.extension, data, 0o666); err != nil {
			return nil, err
		}
		files = append(files, base+out.extension)
	}
	return files, nil
}
