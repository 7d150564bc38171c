package session

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"

	"whyhow/scripts/internal/workbook"
)

const (
	settle = 40 * time.Millisecond  // an editor's burst of writes and renames is one save
	period = 300 * time.Millisecond // between two looks at a file system that reports nothing
)

// watch sends on saved after every burst of changes to Go files in dir, however an editor replaces them, until ctx ends. It calls ready
// when no later change can escape it. It reports changes as the file system does, or looks for them if poll is set, or where the file system has no events.
func watch(ctx context.Context, dir string, poll bool, saved chan<- struct{}, ready func()) {
	before := signature(dir) // so that no change is lost between the two ways
	if !poll && events(ctx, dir, saved, ready) == nil {
		return
	}
	ready()
	compare(ctx, dir, before, saved)
}

// events returns nil once ctx ends, or the reason why it cannot watch, or cannot any longer: the folder itself was replaced.
func events(ctx context.Context, dir string, saved chan<- struct{}, ready func()) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(dir); err != nil {
		return err
	}
	quiet := time.NewTimer(time.Hour)
	quiet.Stop()
	ready()
	for {
		select {
		case <-ctx.Done():
			return nil
		case err := <-w.Errors:
			return err
		case e := <-w.Events:
			if e.Name == dir {
				return fmt.Errorf("%s was replaced", dir)
			}
			if strings.HasSuffix(e.Name, ".go") && e.Op != fsnotify.Chmod {
				quiet.Reset(settle)
			}
		case <-quiet.C:
			send(ctx, saved)
		}
	}
}

// compare looks at the folder now and then, and compares it with last, its signature before.
func compare(ctx context.Context, dir, last string, saved chan<- struct{}) {
	tick := time.NewTicker(period)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if now := signature(dir); now != last {
				last = now
				send(ctx, saved)
			}
		}
	}
}

// signature changes whenever a Go file in dir does.
func signature(dir string) string {
	var b strings.Builder
	for _, f := range workbook.Files(dir, "*.go") {
		if info, err := os.Stat(f); err == nil {
			fmt.Fprintln(&b, f, info.Size(), info.ModTime().UnixNano())
		}
	}
	return b.String()
}

func send(ctx context.Context, saved chan<- struct{}) {
	select {
	case saved <- struct{}{}:
	case <-ctx.Done():
	}
}
