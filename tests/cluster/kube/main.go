// Command kube is every Kubernetes component and tool that the test cluster runs, in one binary.
//
// It dispatches on the name it is called by (a symlink) or else on its first argument, as busybox does:
// one build and one link instead of ten, and one file to cache.
package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// version is set by the linker: the Kubernetes version this module was built from.
var version string

// components maps a component's name to its entry point; os.Args is already the component's own.
var components = map[string]func(){
	"coredns":                 runCoreDNS,
	"etcd":                    runEtcd,
	"helm":                    runHelm,
	"kube-apiserver":          runAPIServer,
	"kube-controller-manager": runControllerManager,
	"kube-proxy":              runProxy,
	"kube-scheduler":          runScheduler,
	"kubectl":                 runKubectl,
	"kubelet":                 runKubelet,
	"version":                 func() { fmt.Println(version) },
}

func main() {
	os.Args[0] = filepath.Base(os.Args[0])
	if _, named := components[os.Args[0]]; !named && len(os.Args) > 1 {
		os.Args = os.Args[1:]
	}
	run, known := components[os.Args[0]]
	if !known {
		fmt.Fprintf(os.Stderr, "kube: no component %q; one of %s\n", os.Args[0], strings.Join(names(), ", "))
		os.Exit(2)
	}
	run()
}

func names() []string {
	all := make([]string, 0, len(components))
	for name := range components {
		all = append(all, name)
	}
	slices.Sort(all)
	return all
}
