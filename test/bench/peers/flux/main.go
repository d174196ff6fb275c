// flux migrates the stored versions of one CustomResourceDefinition the way `flux migrate` does it in a cluster:
// one unpaged LIST, then one patch after the other, then a trim of status.storedVersions.
//
// The CLI itself is limited to Flux' own definitions and to the rate of its client. This one takes the name of any
// definition and lets both limits be lifted, so that what is compared is the way and not the brake.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"

	"github.com/fluxcd/pkg/ssa"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

func main() {
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	name := flag.String("crd", "", "name of the definition, such as widgets.example.com")
	// The defaults of the CLI.
	qps := flag.Float64("qps", 50, "requests per second")
	burst := flag.Int("burst", 300, "requests at once before the rate counts")
	flag.Parse()
	if *kubeconfig == "" || *name == "" {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(context.Background(), *kubeconfig, *name, float32(*qps), *burst); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, kubeconfig, name string, qps float32, burst int) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS, config.Burst = qps, burst
	scheme := runtime.NewScheme()
	if err := apiextensionsv1.AddToScheme(scheme); err != nil {
		return err
	}
	c, err := client.New(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	return migrate(ctx, c, name)
}

func migrate(ctx context.Context, c client.Client, name string) error {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := c.Get(ctx, client.ObjectKey{Name: name}, crd); err != nil {
		return err
	}
	storage := ""
	for _, version := range crd.Spec.Versions {
		if version.Storage {
			storage = version.Name
		}
	}
	// A conflict on one object starts the whole kind again, as in the CLI.
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		return rewriteAll(ctx, c, crd, storage)
	})
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	stored := crd.Status.StoredVersions
	if len(stored) == 1 && stored[0] == storage {
		return nil
	}
	// The definition as it was read at the start, with its resourceVersion: another write in between is a conflict.
	crd.Status.StoredVersions = []string{storage}
	return c.Status().Update(ctx, crd)
}

func rewriteAll(ctx context.Context, c client.Client, crd *apiextensionsv1.CustomResourceDefinition, version string) error {
	apiVersion := crd.Spec.Group + "/" + version
	list := &unstructured.UnstructuredList{}
	list.SetAPIVersion(apiVersion)
	list.SetKind(crd.Spec.Names.ListKind)
	if err := c.List(ctx, list); err != nil {
		return err
	}
	for i := range list.Items {
		item := &list.Items[i]
		where := item.GetNamespace() + "/" + item.GetName()
		patch, err := patchFor(item, apiVersion)
		if err != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		if err := c.Patch(ctx, item, patch); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("%s: %w", where, err)
		}
		// The CLI says each object too.
		fmt.Printf("%s/%s migrated to version %s\n", crd.Spec.Names.Kind, where, version)
	}
	return nil
}

// patchFor gives the patch that moves managedFields to the version, or an empty one where they are there already.
func patchFor(item *unstructured.Unstructured, apiVersion string) (client.Patch, error) {
	operations, err := ssa.PatchMigrateToVersion(item, apiVersion)
	if err != nil {
		return nil, err
	}
	if len(operations) == 0 {
		return client.RawPatch(types.MergePatchType, []byte("{}")), nil
	}
	body, err := json.Marshal(operations)
	if err != nil {
		return nil, err
	}
	return client.RawPatch(types.JSONPatchType, body), nil
}
