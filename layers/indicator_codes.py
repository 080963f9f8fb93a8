"""The codes of the indicators that the register measures, as SQL has them."""

MEASURED = (
    "digital_platform_use",
    "model_site_active_acceptance",
    "model_site_payment_method",
    "payment_account_or_qr",
    "online_selling",
    "enterprise_e_contract",
    "sme_digital_platform",
    "enterprise_e_commerce",
    "enterprise_digital_technology",
    "food_service_cash_register_invoice",
    "large_retail_payment",
    "digital_outreach",
)
"""In the order of the columns of register.indicator_answers."""
SITE_INDICATORS = ("model_site_active_acceptance", "model_site_payment_method")
"""Those about places in model sites only."""
