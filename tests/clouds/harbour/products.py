"""What the cloud sells: nothing is called as another cloud calls it, and its shapes' names have no dot."""

from __future__ import annotations

from typing import Final

from cascade_plan.model.offer import Offer
from cascade_plan.prices.products import Product, Section

BOATS: Final = Section("boats", "Boats by the hour")
KEGS: Final = Section("kegs", "Kegs by the hour, alone or escorted")
HOLDS: Final = Section("holds", "What is stored")
FREIGHT: Final = Section("freight", "What is shipped abroad")

PRODUCTS: Final = (
    Product(section=BOATS, service="boat", unit="hour", offer=Offer("vm")),
    Product(
        section=KEGS,
        service="keg",
        variant="alone",
        unit="hour",
        offer=Offer("database", options=("postgres", "single_zone")),
    ),
    Product(
        section=KEGS,
        service="keg",
        variant="escorted",
        unit="hour",
        offer=Offer("database", options=("postgres", "multi_zone")),
    ),
    *(
        Product(
            section=HOLDS,
            service="hold",
            item="keg-hold",
            unit="gib_month",
            offer=Offer("database_storage", options=("postgres", zones)),
        )
        for zones in ("single_zone", "multi_zone")
    ),
    Product(section=HOLDS, service="hold", item="boat-hold", unit="gib_month", offer=Offer("disk")),
    Product(section=FREIGHT, service="ship", item="abroad", unit="gib", offer=Offer("internet_traffic")),
)
