"""The operator: Karmadas that are described by objects of a Kubernetes cluster, installed and changed by the deployers of this project.

api, deployment, status   the API deploy.karmada-lab.dev/v1alpha1 as models; values have the types of `deployers.spec`
structural, crds          those models as CustomResourceDefinitions
fields                    which field of a KarmadaSpec is which field of the API, and which is none, with its reason
"""
