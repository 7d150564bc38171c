package sandbox_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"whyhow/scripts/internal/fixture"
	"whyhow/scripts/internal/sandbox"
)

// ground is what a judge's process is told of the workbook whose katas it is to build.
type ground struct{ Root, Cache string }

// buildFlags are those of the Makefile.
const buildFlags = "-buildvcs=false -trimpath -gcflags=all=-dwarf=false"

// prepare makes in dir a workbook and a warm build cache where everybody may read them, for root's home is closed to others.
func prepare(t *testing.T, dir string) string {
	t.Helper()
	g := ground{filepath.Join(dir, "workbook"), filepath.Join(dir, "go-build")}
	require.NoError(t, os.CopyFS(g.Root, os.DirFS(fixture.Workbook(t).Root)))
	tools, err := sandbox.FindToolchain(t.Context(), "go", buildFlags)
	require.NoError(t, err)
	for range 2 { // a warm one stays as it is
		_, err = tools.Warm(t.Context(), g.Cache, g.Root, "hidden", "./katas/q01-double")
		require.NoError(t, err)
	}
	_, err = tools.Warm(t.Context(), g.Cache, g.Root, "", "./katas/q02-none")
	require.ErrorContains(t, err, "q02-none")
	text, err := json.Marshal(g)
	require.NoError(t, err)
	return string(text)
}

// A kata's tests are compiled and run, and the second time nothing is compiled that was so before. The shared cache stays as it is.
func testBuild(t *testing.T, s *sandbox.Sandbox) {
	var g ground
	require.NoError(t, json.Unmarshal([]byte(os.Getenv("SANDBOX_GROUND")), &g))
	tools, err := sandbox.FindToolchain(t.Context(), "go", buildFlags)
	require.NoError(t, err)
	tools.Cache, tools.Modules = g.Cache, folder(t, world(t), "modules") // these katas need none
	before := listing(t, g.Cache)

	dir := world(t)
	given, scratch, out := folder(t, dir, "given"), folder(t, dir, "scratch"), folder(t, dir, "out")
	submission, overlay := filepath.Join(given, "double.go"), filepath.Join(given, "overlay.json")
	fixture.Write(t, submission, "package double\n\nfunc Double(x float64) float64 { return 2 * x }\n\nfunc Halve(x float64) float64 { return x / 2 }\n")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(g.Root, "katas/q01-double/double.go"): submission}})
	require.NoError(t, err)
	fixture.Write(t, overlay, string(replace))
	past := fileTime(t, tools.Go())
	require.NoError(t, os.Chtimes(submission, past, past)) // the go command keeps an index of folders that nobody works in
	build := sandbox.Spec{
		Dir: g.Root, Env: tools.Env(scratch), Read: append(tools.Read(), g.Root, given), Write: []string{out}, Scratch: scratch,
	}
	compiled := []int{3} // the package, its test, and the main that calls it
	if s.Name() == sandbox.Landlock {
		compiled = append(compiled, 0) // for the scratch is still there
	}
	for i, want := range compiled {
		binary := filepath.Join(out, fmt.Sprintf("%d.test", i))
		build.Args = []string{tools.Go(), "test", "-c", "-x", "-vet=off", "-overlay=" + overlay, "-o", binary, "./katas/q01-double"}
		end, said := run(t, s, build)
		require.Zero(t, end.Code, said)
		require.Equal(t, want, strings.Count(said, "/compile -o "), said)
		test := spec(t)
		test.Env = []string{"TMPDIR=" + test.Scratch}
		test.Args, test.Read, test.Dir = []string{binary, "-test.v"}, []string{binary, g.Root}, filepath.Join(g.Root, "katas/q01-double")
		end, said = run(t, s, test)
		require.Zero(t, end.Code, said)
		require.Contains(t, said, "--- PASS: TestDouble")
	}
	require.Equal(t, before, listing(t, g.Cache))

	fixture.Write(t, submission, "package double\n\nfunc Double(x float64) float64 { return x x }\n")
	end, said := run(t, s, build)
	require.Equal(t, 1, end.Code)
	require.Contains(t, said, "double.go:3:43: syntax error")
}

func fileTime(t *testing.T, file string) time.Time {
	t.Helper()
	info, err := os.Stat(file)
	require.NoError(t, err)
	return info.ModTime()
}

// listing names all files of a folder, with size and time.
func listing(t *testing.T, dir string) (all []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		all = append(all, fmt.Sprint(path, info.Size(), info.ModTime()))
		return err
	}))
	return all
}

// By the tags gonum leaves out what is not Go and what is unsafe, in all that a kata may import.
func TestTags(t *testing.T) {
	list := func(flags ...string) string {
		cmd := exec.Command("go", append(append([]string{"list", "-deps", "-f", `{{range .SFiles}}{{.}} {{end}}{{range .Imports}}{{if eq . "unsafe"}}{{$.ImportPath}} {{end}}{{end}}`}, flags...),
			"gonum.org/v1/gonum/mat", "gonum.org/v1/gonum/stat", "gonum.org/v1/gonum/floats")...)
		cmd.Env = append(os.Environ(), "GOFLAGS=")
		out, err := cmd.Output()
		require.NoError(t, err)
		return strings.Join(strings.Fields(string(out)), " ")
	}
	require.Contains(t, list(), "gonum.org/v1/gonum/mat")
	require.Contains(t, list(), "axpyunitary_amd64.s")
	require.NotContains(t, list("-tags="+sandbox.Tags), "gonum.org")
	require.NotContains(t, list("-tags="+sandbox.Tags), "axpyunitary")
}
