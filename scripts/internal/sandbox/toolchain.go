package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Toolchain is the go command with what it needs, to build in a sandbox.
type Toolchain struct {
	Root     string `json:"GOROOT"`
	Modules  string `json:"GOMODCACHE"`
	Cache    string `json:"GOCACHE"`
	flags    string // GOFLAGS: the same as where the user's cache was filled, so that nothing is compiled once more
	launcher string // this program, which is the GOCACHEPROG
}

// Tags are the build tags by which gonum leaves out its assembly and its unsafe code: then a matrix whose header is wrong is a panic, and
// not a write out of bounds. They are in Env's GOFLAGS; flags that give tags of their own must repeat them.
// Source: gonum's README, "Build tags"; internal/asm and mat honour them.
const Tags = "noasm,safe"

// FindToolchain asks the go command where its things are. flags are the GOFLAGS of builds.
func FindToolchain(ctx context.Context, tool, flags string) (Toolchain, error) {
	t := Toolchain{flags: flags}
	out, err := exec.CommandContext(ctx, tool, "env", "-json", "GOROOT", "GOMODCACHE", "GOCACHE").Output()
	if err == nil {
		err = json.Unmarshal(out, &t)
	}
	if err == nil {
		t.launcher, err = os.Executable()
	}
	if err != nil {
		return t, fmt.Errorf("go env: %w", err)
	}
	return t, nil
}

// Go is the go command's file.
func (t Toolchain) Go() string { return filepath.Join(t.Root, "bin", "go") }

// Read are the files and folders that a build must be able to read, besides the sources.
func (t Toolchain) Read() []string {
	return append([]string{t.Root, t.Modules, t.Cache, t.launcher}, libraries(t.launcher)...)
}

// Env is the whole environment of a build in a sandbox with this scratch folder. What compiles it is the same for everybody.
func (t Toolchain) Env(scratch string) []string {
	return t.env(scratch, t.Cache, filepath.Join(scratch, "go-build"))
}

// env has shared read and own written.
func (t Toolchain) env(home, shared, own string) []string {
	return []string{
		"HOME=" + home, "TMPDIR=" + home, "PATH=" + filepath.Join(t.Root, "bin"), "GOPATH=" + filepath.Join(home, "go"),
		// A relative folder is none: the go command keeps no telemetry, for which it would start a second process.
		"XDG_CONFIG_HOME=none",
		"GOROOT=" + t.Root, "GOMODCACHE=" + t.Modules, "GOCACHE=" + own,
		"GOCACHEPROG=" + strings.Join([]string{quote(t.launcher), command, "cache", quote(shared), quote(own)}, " "),
		"GOFLAGS=-mod=readonly " + t.flags + " -tags=" + Tags,
		"GOENV=off", "GOWORK=off", "GO111MODULE=on", "GOPROXY=off", "GOSUMDB=off", "GOVCS=*:off", "GOTOOLCHAIN=local", "GOTELEMETRY=off", "CGO_ENABLED=0",
	}
}

// quote writes a word as GOCACHEPROG is read: there is no escape, and a path holds one kind of quotes at most.
func quote(word string) string {
	if strings.Contains(word, "'") {
		return `"` + word + `"`
	}
	return "'" + word + "'"
}

// Warm fills a cache of its own with what the packages of the module in root, their tests and with tags ("hidden") more of these need, and
// returns a Toolchain that has that cache: there is nothing else in it for strangers to read. What the user's cache has is copied from there. This is done outside
// of any sandbox, for the pristine module; done again, it takes a second, and keeps the go command from removing what is used.
func (t Toolchain) Warm(ctx context.Context, cache, root, tags string, packages ...string) (Toolchain, error) {
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return t, err
	}
	home, err := os.MkdirTemp("", "kata-warm-")
	if err != nil {
		return t, err
	}
	defer os.RemoveAll(home)
	cmd := exec.CommandContext(ctx, t.Go(), append([]string{"list", "-export", "-deps", "-test", "-f", "", "-tags=" + strings.TrimSuffix(Tags+","+tags, ","), "--"}, packages...)...)
	cmd.Dir, cmd.Env = root, t.env(home, copying+t.Cache, cache)
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			err = errors.Join(ctx.Err(), err)
		}
		return t, fmt.Errorf("go list in %s: %w", root, join(err, string(out)))
	}
	t.Cache = cache
	return t, nil
}
