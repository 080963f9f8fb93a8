"""Trades that sell goods, in shops, on stalls, online and wholesale."""

from ingest.demo.trade import ALWAYS, DAY, SHOP, Trade, fresh, office

_TOBACCO = {"tobacco_retail": 0.4, "alcohol_retail": 0.28}
_RETAIL_FOOD = (
    Trade(
        "Tạp hóa", "grocery", "4711", 8.4, "convenience", 0.15, 0.02, 0.05, food="trade", stall=True, permits=_TOBACCO
    ),
    Trade(
        "Siêu thị mini",
        "grocery",
        "4711",
        0.7,
        "convenience",
        0.9,
        0.55,
        0,
        0.35,
        "trade",
        permits={"alcohol_retail": 0.6, "fire_safety": 0.4},
    ),
    Trade(
        "Cửa hàng tiện lợi",
        "grocery",
        "4711",
        0.5,
        "convenience",
        0.95,
        0.3,
        0,
        0.6,
        "trade",
        hours=ALWAYS,
        permits={"tobacco_retail": 0.7, "alcohol_retail": 0.6},
    ),
    Trade("Bách hóa", "grocery", "4719", 0.5, "variety_store", 0.4, 0.15, stall=True),
    Trade("Gạo", "food_retail", "4721", 0.7, None, 0.2, 0.08, food="agri", stall=True),
    fresh("Trái cây", 1.3, vendor=0.4, front=0.5),
    fresh("Thịt tươi", 0.9),
    fresh("Hải sản tươi", 0.8),
    fresh("Rau củ", 1.0, vendor=0.4),
    fresh("Đặc sản", 0.5, food="trade", hours=SHOP, vendor=0.0, front=0.7),
    fresh(
        "Tiệm bánh", 0.8, food="trade", kind="bakery", offering="cake", hours=SHOP, vendor=0.05, front=0.6, stall=False
    ),
    Trade(
        "Bia nước ngọt",
        "food_retail",
        "4723",
        0.6,
        "beverages",
        0.4,
        0.12,
        food="trade",
        permits={"alcohol_retail": 0.7},
    ),
    Trade("Thuốc lá", "food_retail", "4724", 0.2, None, 0.5, 0.1, food=None, permits={"tobacco_retail": 0.85}),
)
_RETAIL = (
    Trade("Thời trang", "fashion", "4771", 3.0, "clothes", 0.7, 0.1, 0.08, stall=True),
    Trade("Giày dép", "fashion", "4771", 0.8, "shoes", 0.7, 0.1, 0.06, stall=True),
    Trade("Túi xách", "fashion", "4771", 0.4, None, 0.7, stall=True),
    Trade("Vải", "fashion", "4751", 0.4, None, 0.4, 0.05, stall=True),
    Trade(
        "Nhà thuốc", "pharmacy_cosmetics", "4772", 1.2, "pharmacy", 0.6, 0.3, branch=0.15, permits={"pharmacy": 0.95}
    ),
    Trade("Mỹ phẩm", "pharmacy_cosmetics", "4772", 1.0, None, 0.6, 0.15, stall=True),
    Trade("Điện thoại", "electronics", "4740", 1.0, "mobile_phone", 0.85, 0.25, branch=0.12),
    Trade("Máy tính", "electronics", "4740", 0.6, "computer", 0.8, 0.5),
    Trade("Điện tử", "electronics", "4740", 0.4, "electronics", 0.7, 0.35),
    Trade("Vật liệu xây dựng", "household_goods", "4752", 0.9, None, 0.6, 0.35, hours=DAY),
    Trade("Rèm màn", "household_goods", "4753", 0.3, None, 0.6, 0.2),
    Trade("Nội thất", "household_goods", "4759", 0.7, None, 0.8, 0.4),
    Trade("Gia dụng", "household_goods", "4759", 0.9, None, 0.5, 0.15, stall=True),
    Trade("Điện máy", "household_goods", "4759", 0.4, None, 0.8, 0.35, branch=0.1),
    Trade("Nhà sách", "books_sports_gifts", "4761", 0.2, "books", 0.8, 0.4),
    Trade("Văn phòng phẩm", "books_sports_gifts", "4761", 0.5, None, 0.5),
    Trade("Đồ thể thao", "books_sports_gifts", "4762", 0.3, "sports", 0.7, 0.2),
    Trade("Đồ chơi", "books_sports_gifts", "4763", 0.3, None, 0.5, 0.05, stall=True),
    Trade("Hoa tươi", "books_sports_gifts", "4773", 0.6, None, 0.6, 0.05, 0.15, stall=True),
    Trade("Quà tặng", "books_sports_gifts", "4773", 0.4, "gift", 0.7),
    Trade("Tiệm vàng", "books_sports_gifts", "4773", 0.3, "jewelry", 0.8, 0.4, permits={"fire_safety": 0.3}),
    Trade("Mẹ và bé", "books_sports_gifts", "4773", 0.3, "baby_goods", 0.6, 0.3, branch=0.15),
    Trade("Đồ thú cưng", "books_sports_gifts", "4773", 0.2, "pet_shop", 0.6, 0.2),
    Trade("Đồ cũ", "books_sports_gifts", "4774", 0.2, None, 0.3, 0.05, 0.15),
    Trade("Xe máy", "vehicles", "4783", 0.4, None, 0.95, 0.5),
    Trade("Phụ tùng xe máy", "vehicles", "4783", 0.3, None, 0.7),
    Trade("Ô tô", "vehicles", "4781", 0.1, "car_shop", 1.0, 0.9, hours=DAY, permits={"fire_safety": 0.8}),
    Trade("Phụ tùng ô tô", "vehicles", "4782", 0.2, None, 0.9, 0.5),
    Trade(
        "Xăng dầu",
        "fuel_gas",
        "4730",
        0.08,
        "fuel",
        1.0,
        0.6,
        branch=0.4,
        hours=ALWAYS,
        permits={"fuel_gas": 1.0, "fire_safety": 1.0},
    ),
    # Gas for cooking shares its class with flowers and gifts, so the class says nothing: none is given.
    Trade("Gas", "fuel_gas", None, 0.32, None, 0.3, 0.4, permits={"fuel_gas": 0.9, "fire_safety": 0.7}),
    Trade("Bán hàng trực tuyến", "online_trade", "4790", 1.0, None, 0.05, 0.15, 0.3, till="office"),
    office("Công ty thương mại", "other", "4690", 0.8),
    office("Công ty thực phẩm", "other", "4632", 0.5, food="trade", front=0.4),
    office("Công ty vật liệu", "other", "4673", 0.5),
    office("Công ty thiết bị", "other", "4659", 0.6),
)

RETAIL: tuple[Trade, ...] = (*_RETAIL_FOOD, *_RETAIL)
