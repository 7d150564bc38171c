package sandbox_test

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"whyhow/scripts/internal/sandbox"
	"whyhow/scripts/internal/workbook"
)

func TestFind(t *testing.T) {
	_, err := sandbox.Find("docker")
	require.EqualError(t, err, `there is no sandbox "docker"`)
	require.Contains(t, workbook.HintOf(err), "bubblewrap, landlock and none")
	if runtime.GOOS != "linux" {
		_, err = sandbox.Find("")
		require.Error(t, err)
		require.Contains(t, workbook.HintOf(err), "--sandbox=none")
	}
}

// Without a sandbox a program runs all the same, and the record says so.
func TestNone(t *testing.T) {
	s, err := sandbox.Find(sandbox.None)
	require.NoError(t, err)
	require.Equal(t, "none", s.Name())
	require.Len(t, s.Lacks(), 1)
	self, err := os.Executable()
	require.NoError(t, err)
	p, err := s.Start(t.Context(), sandbox.Spec{Args: []string{self, "-test.run=^TestExits$"}, Dir: t.TempDir(), Env: []string{"SANDBOX_EXITS=yes"}})
	require.NoError(t, err)
	end, err := p.Wait()
	require.NoError(t, err)
	require.Equal(t, 7, end.Code)
}

func TestExits(t *testing.T) {
	if os.Getenv("SANDBOX_EXITS") != "" {
		os.Exit(7)
	}
	t.Skip("TestNone runs it")
}

// A sandbox of another shape than its caller thinks is refused.
func TestSpecs(t *testing.T) {
	s, err := sandbox.Find(sandbox.None)
	require.NoError(t, err)
	dir := t.TempDir()
	program := filepath.Join(dir, "program")
	for _, c := range []struct {
		spec sandbox.Spec
		want string
	}{
		{sandbox.Spec{}, "no program"},
		{sandbox.Spec{Args: []string{"go"}, Dir: dir}, `"go" is no clean absolute path`},
		{sandbox.Spec{Args: []string{program}, Dir: "."}, `"." is no clean absolute path`},
		{sandbox.Spec{Args: []string{program}, Dir: dir, Scratch: dir + string(filepath.Separator)}, "is no clean absolute path"},
		{sandbox.Spec{Args: []string{program}, Dir: dir, Read: []string{program}}, "program"},
		{sandbox.Spec{Args: []string{program}, Dir: dir, Read: []string{dir}, Write: []string{filepath.Dir(dir)}}, "is to be read alone, but may be written as part of"},
		{sandbox.Spec{Args: []string{program}, Dir: dir, Read: []string{dir}, Scratch: dir}, "is to be read alone, but may be written as part of"},
	} {
		_, err := s.Start(t.Context(), c.spec)
		require.ErrorContains(t, err, c.want)
	}
}
