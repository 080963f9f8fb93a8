"""Trades of lodging, food and drink."""

from ingest.demo.trade import ALWAYS, DAY, EARLY, EVENING, Trade, dish, drink

_ALCOHOL = {"alcohol_retail": 0.45}
_LODGING = {"security_order": 0.85, "fire_safety": 0.7}
_FOOD_SERVICE = (
    dish("Quán ăn", 3.2, "vietnamese", vendor=0.08),
    dish(
        "Nhà hàng", 1.3, "vietnamese", front=0.95, enterprise=0.6, permits={"fire_safety": 0.5, "alcohol_retail": 0.5}
    ),
    dish("Phở", 0.8, "noodles", hours=EARLY),
    dish("Bún bò", 0.6, "beef_noodle", hours=EARLY, vendor=0.1),
    dish("Mì Quảng", 0.9, "local", hours=EARLY, vendor=0.1),
    dish("Quán cơm", 1.2, "vietnamese"),
    dish("Bánh mì", 1.2, "breakfast", kind="fast_food", hours=EARLY, vendor=0.45, front=0.6),
    dish("Cháo", 0.5, "breakfast", hours=EARLY, vendor=0.45, front=0.3),
    dish("Quán ốc", 0.7, "seafood", hours=EVENING, vendor=0.15),
    dish("Lẩu nướng", 0.6, "hotpot", hours=EVENING, front=0.8, permits=_ALCOHOL),
    dish("Chè", 0.6, "snack", vendor=0.45, front=0.3),
    dish("Ăn vặt", 0.9, "snack", kind="fast_food", hours=EVENING, vendor=0.5, front=0.3, stall=True),
    dish("Gà rán", 0.25, "fried_chicken", kind="fast_food", front=0.95, enterprise=0.4, branch=0.4),
    dish("Xôi", 0.5, "breakfast", hours=EARLY, vendor=0.7, front=0.4, stall=True),
    Trade("Nấu tiệc", "food_service", "5621", 0.3, front=0.2, food="health", till="service", hours=DAY),
    Trade("Suất ăn", "food_service", "5629", 0.3, front=0.2, enterprise=0.6, food="health", till="office", hours=DAY),
)
_DRINKS = (
    drink("Cà phê", 4.2, "coffee_shop", vendor=0.08),
    drink("Trà sữa", 0.9, "bubble_tea", front=0.7, enterprise=0.2),
    drink("Nước mía", 0.6, "juice", vendor=0.75, front=0.4),
    drink("Nước ép", 0.3, "juice", vendor=0.3),
    drink("Quán bia", 0.6, None, kind="pub", hours=EVENING, front=0.6, permits=_ALCOHOL),
    drink(
        "Bar",
        0.15,
        None,
        kind="bar",
        hours=EVENING,
        front=0.9,
        enterprise=0.5,
        permits={**_ALCOHOL, "fire_safety": 0.8},
    ),
)
_LODGINGS = (
    Trade(
        "Khách sạn",
        "lodging",
        "5510",
        1.1,
        "hotel",
        0.85,
        0.7,
        till="hotel",
        hours=ALWAYS,
        permits={**_LODGING, "lodging_grade": 0.6},
    ),
    Trade("Nhà nghỉ", "lodging", "5520", 1.1, "guest_house", 0.4, 0.1, till="hotel", hours=ALWAYS, permits=_LODGING),
    Trade("Homestay", "lodging", "5520", 0.7, "guest_house", 0.3, 0.1, till="hotel", hours=ALWAYS, permits=_LODGING),
    Trade(
        "Căn hộ cho thuê", "lodging", "5520", 1.2, "apartment", 0.3, 0.3, till="hotel", hours=ALWAYS, permits=_LODGING
    ),
    Trade("Hostel", "lodging", "5590", 0.3, "hostel", 0.5, 0.3, till="hotel", hours=ALWAYS, permits=_LODGING),
)

HOSPITALITY: tuple[Trade, ...] = (*_FOOD_SERVICE, *_DRINKS, *_LODGINGS)
