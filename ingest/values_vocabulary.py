"""The ways people write each code of the register in a cell, separated by "|"; marks and capitals do not matter.

Gathered from the domain facts, from lists that wards keep, and from the words of a real food-safety register (huyện Hòa
Vang, 2018-2019).
"""

from ingest.word_lists import WordList

LEGAL_FORMS = WordList(
    {
        "household_business": (
            "hộ kinh doanh|hộ kd|hkd|hkdct|hộ kinh doanh cá thể|hộ cá thể|hộ kinh doanh gia đình|cá thể|hộ"
        ),
        "enterprise": (
            "doanh nghiệp|dn|công ty|cty|công ti|tnhh|cty tnhh|công ty tnhh|công ty cổ phần|cty cp|ctcp|"
            "cổ phần|mtv|công ty tnhh mtv|công ty tnhh một thành viên|tnhh mtv|doanh nghiệp tư nhân|dntn|"
            "công ty hợp danh|tập đoàn|công ty trách nhiệm hữu hạn"
        ),
        "branch": "chi nhánh|cn|cn cty|cn công ty|chi nhánh công ty|cn ctcp",
        "business_location": "địa điểm kinh doanh|địa điểm kd|đđkd",
        "cooperative": "hợp tác xã|htx|liên hiệp hợp tác xã|tổ hợp tác|tht",
        "unregistered_individual": (
            "cá nhân kinh doanh|cá nhân|buôn bán nhỏ|hàng rong|bán rong|không đăng ký|chưa đăng ký|"
            "chưa đkkd|không có đkkd|chưa có giấy phép|cá nhân không phải đăng ký|"
            "individual, no registration needed"
        ),
        "public_service_unit": "đơn vị sự nghiệp|đơn vị sự nghiệp công lập|sự nghiệp công lập|công lập",
    }
)
REGISTRY_STATUSES = WordList(
    {
        "active": "đang hoạt động|hoạt động|còn hoạt động|đang kinh doanh|nnt đang hoạt động|00",
        "suspended": (
            "tạm ngừng kinh doanh|tạm ngừng|tạm nghỉ|tạm ngừng hoạt động|ngừng tạm thời|tạm ngưng|tạm dừng|"
            "business suspended"
        ),
        "not_at_address": (
            "không hoạt động tại địa chỉ đã đăng ký|không hoạt động tại địa chỉ|không còn tại địa chỉ|"
            "bỏ địa chỉ|bỏ địa chỉ kinh doanh|khđtđc|06|not operating at the registered address"
        ),
        "revoked": (
            "bị thu hồi do cưỡng chế về quản lý thuế|thu hồi gcn|bị thu hồi|thu hồi giấy phép|"
            "bị thu hồi gcn đkhkd|thu hồi giấy chứng nhận|bị thu hồi giấy chứng nhận đăng ký|"
            "revoked under tax enforcement"
        ),
        "dissolving": (
            "đang làm thủ tục giải thể|đang làm thủ tục chấm dứt|đang làm thủ tục chấm dứt hoạt động|"
            "chờ giải thể|đang giải thể|đã bị chia|bị hợp nhất|bị sáp nhập|"
            "đang làm thủ tục giải thể, chia, hợp nhất, sáp nhập|being dissolved, divided, consolidated or merged"
        ),
        "bankruptcy": "đang làm thủ tục phá sản|chờ phá sản|in bankruptcy proceedings",
        "ended": (
            "đã giải thể|phá sản|chấm dứt tồn tại|đã chấm dứt|chấm dứt hoạt động|chấm dứt kinh doanh|"
            "ngừng hoạt động|đã chấm dứt hoạt động|giải thể|đã đóng mst|đóng mã số thuế|ngừng kinh doanh|"
            "nghỉ hẳn|không còn hoạt động|đã nghỉ kinh doanh|không còn kinh doanh|dissolved, bankrupt, ended"
        ),
        "unknown": "không rõ|chưa rõ|không xác định|chưa xác định|not known",
    }
)
OPERATING_STATUSES = WordList(
    {
        "active": (
            "đang bán|đang kinh doanh|đang hoạt động|hoạt động|mở cửa|đang mở cửa|bình thường|còn bán|"
            "còn kinh doanh|hoạt động bình thường|còn hoạt động|có kinh doanh"
        ),
        "suspended": (
            "tạm đóng cửa|đóng cửa tạm|đóng cửa tạm thời|tạm nghỉ|tạm ngừng|tạm ngưng|tạm dừng|"
            "tạm ngừng kinh doanh|tạm nghỉ bán|đang sửa chữa|nghỉ tạm"
        ),
        "closed": (
            "đóng cửa hẳn|đã đóng cửa|đóng cửa|nghỉ hẳn|đã nghỉ|nghỉ bán|không còn bán|"
            "không còn kinh doanh|nghỉ kinh doanh|ngừng kinh doanh|ngừng hoạt động|giải thể|dẹp tiệm|"
            "đã nghỉ bán|không còn hoạt động|không hoạt động|không kinh doanh|trả mặt bằng|"
            "đã trả mặt bằng|chấm dứt hoạt động|closed for good"
        ),
        "moved": (
            "chuyển đi|đã chuyển|chuyển địa điểm|chuyển chỗ|dời đi|đã chuyển đi|chuyển địa chỉ|"
            "chuyển nơi khác|chuyển đi nơi khác|đã chuyển đi nơi khác|moved away"
        ),
        "not_found": (
            "không tìm thấy|không tìm ra|không có tại địa chỉ|không thấy|sai địa chỉ|không đúng địa chỉ|"
            "không tìm thấy địa chỉ|không có ở địa chỉ này|không tìm thấy tại địa chỉ|not found at the address"
        ),
        "unknown": "chưa khảo sát|không rõ|chưa rõ|chưa biết|chưa điều tra|chưa kiểm tra|not known",
    }
)
PAYMENTS = WordList(
    {
        "vietqr": ("vietqr|viet qr|mã qr|qr|qr code|qrcode|quét mã|quét mã qr|qr ngân hàng|mã vietqr|có mã qr|quét qr"),
        "vnpay_qr": "vnpay qr|vnpayqr|qr vnpay",
        "bank_transfer": (
            "chuyển khoản|ck|chuyển khoản ngân hàng|internet banking|chuyển tiền|stk|số tài khoản|tài khoản ngân hàng"
        ),
        "pos_card": (
            "pos|máy pos|quẹt thẻ|thẻ|cà thẻ|máy quẹt thẻ|thẻ atm|visa|thẻ ngân hàng|thẻ visa|máy cà thẻ|mastercard|"
            "card at a pos terminal"
        ),
        "momo": "momo|ví momo|mo mo",
        "zalopay": "zalopay|zalo pay|ví zalopay",
        "vnpay_wallet": "ví vnpay|vnpay",
        "shopeepay": "shopeepay|shopee pay|airpay|ví shopeepay",
        "mobile_money": (
            "mobile money|viettel money|vnpt money|mobifone money|viettelpay|viettel pay|vnpt pay|tiền di động"
        ),
        "card_online": "thẻ trực tuyến|thanh toán thẻ trực tuyến|cổng thanh toán|thanh toán online|paypal",
        "cash_only": "chỉ tiền mặt|tiền mặt|chỉ nhận tiền mặt|tm|tiền mặt thôi|chỉ dùng tiền mặt",
    }
)
LICENCE_KINDS = WordList(
    {
        "business_registration": (
            "giấy chứng nhận đăng ký kinh doanh|đăng ký kinh doanh|gcn đkkd|đkkd|gcn đkhkd|giấy phép kinh doanh|gpkd|"
            "giấy chứng nhận đăng ký hộ kinh doanh|đăng ký hộ kinh doanh|đăng ký doanh nghiệp|gcn đkdn|đkhkd"
        ),
        "tobacco_retail": "bán lẻ thuốc lá|giấy phép bán lẻ thuốc lá|thuốc lá|sản phẩm thuốc lá",
        "alcohol_retail": "bán lẻ rượu|giấy phép bán lẻ rượu|rượu|bán rượu tiêu dùng tại chỗ",
        "karaoke": "karaoke|giấy phép karaoke|kinh doanh karaoke|dịch vụ karaoke",
        "security_order": "an ninh trật tự|antt|điều kiện về an ninh trật tự|anttt",
        "fire_safety": "phòng cháy chữa cháy|pccc|thẩm duyệt pccc|nghiệm thu pccc",
        "pharmacy": "điều kiện kinh doanh dược|kinh doanh dược|đủ điều kiện kinh doanh dược|gpp",
        "medical_practice": "giấy phép hoạt động khám chữa bệnh|khám bệnh chữa bệnh|khám chữa bệnh|gphđ",
        "lodging_grade": "hạng sao|công nhận hạng|xếp hạng lưu trú|hạng cơ sở lưu trú",
        "fuel_gas": "xăng dầu|kinh doanh gas|lpg|khí dầu mỏ hóa lỏng|cửa hàng đủ điều kiện bán lẻ xăng dầu",
        "not_required": "không thuộc diện|không phải cấp|miễn|không cần giấy phép",
    }
)
MARKETPLACES = WordList(
    {
        "yes": (
            "shopee|lazada|tiki|tiktok|tiktok shop|sendo|grab|grabfood|shopeefood|now|be|befood|gojek|gofood|baemin|"
            "foody|booking|agoda|traveloka|airbnb|voso|postmart|sàn tmđt|sàn thương mại điện tử|chợ tốt"
        ),
    }
)
"""Platforms: a cell that names one says that the place sells there."""
FOOD_SAFETY_KINDS = WordList(
    {
        "certificate": (
            "giấy chứng nhận|gcn|gcn attp|giấy chứng nhận attp|giấy attp|gcn đủ điều kiện|đã cấp giấy|"
            "đã cấp gcn|có giấy chứng nhận|giấy chứng nhận cơ sở đủ điều kiện an toàn thực phẩm|"
            "giấy vsattp|có gcn|giấy chứng nhận vsattp|đã được cấp giấy|có giấy|giấy cn attp|giấy cn|gcn vsattp"
        ),
        "commitment": (
            "bản cam kết|cam kết|đã ký cam kết|ký cam kết|giấy cam kết|bck|có cam kết|đã cam kết|cam kết attp"
        ),
        "equivalent": "chứng chỉ tương đương|haccp|iso 22000|gmp|fssc 22000|ifs|brc|tương đương|iso",
        "not_required": (
            "không thuộc diện|miễn|không phải cấp|không cần|không thuộc diện cấp|miễn cấp|"
            "không thuộc đối tượng|không thuộc diện cấp giấy|không áp dụng"
        ),
        "missing": (
            "chưa có|chưa cấp|không có|chưa có giấy|chưa làm|chưa ký|chưa ký cam kết|không có giấy|"
            "chưa có gcn|hết hạn|chưa được cấp|chưa cấp giấy"
        ),
    }
)
INSPECTION_RESULTS = WordList(
    {
        "pass": "đạt|đạt yêu cầu|đủ điều kiện|đảm bảo|tốt|đạt điều kiện|có đạt|kết quả đạt|đ",
        "fail": (
            "không đạt|chưa đạt|ko đạt|k đạt|không đủ điều kiện|chưa đảm bảo|không đảm bảo|vi phạm|"
            "có vi phạm|kđ|không đạt yêu cầu|chưa đạt yêu cầu|chưa đủ điều kiện"
        ),
        "pending": "chờ hoàn thiện|chờ kết quả|chờ xử lý|đang xử lý|chờ khắc phục|chưa có kết quả",
        "a": "loại a|xếp loại a|hạng a|loại a (tốt)|grade a (good)",
        "b": "loại b|xếp loại b|hạng b|loại b (đạt)|grade b (pass)",
        "c": "loại c|xếp loại c|hạng c|loại c (không đạt)|grade c (fail)",
    }
)
PENALTIES = WordList(
    {
        "no_penalty": "không|ko|không có|không phạt|không xử lý|không vi phạm",
        "reminder": "nhắc nhở|nhắc|cảnh cáo|nhắc nhở khắc phục|cho khắc phục|yêu cầu khắc phục|khắc phục",
        "fine": "phạt tiền|xử phạt|phạt|phạt vphc|xử phạt hành chính|phạt hành chính",
        "summoned": "mời về|mời làm việc|mời về pyt|mời về phòng y tế|chờ xử lý|lập biên bản|chuyển xử lý",
    }
)
"""What followed an inspection, in the words of that register; no code list of the wire."""
YES_NO = WordList(
    {
        "yes": "có|rồi|đã có|đúng|đã|y|x|v|1|true|ok|co roi|✓|đạt|được|chấp nhận|có dùng|có sử dụng",
        "no": ("không|chưa|ko|kg|hông|n|0|false|chưa có|không có|chưa dùng|không dùng|chưa sử dụng|không sử dụng|k"),
        "unknown": "không rõ|chưa rõ|chưa biết|?|không biết|chưa khảo sát",
    }
)
