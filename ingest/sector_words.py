"""What people write as their line of business, by class of VSIC 2025 (level 4): folded phrases, longest first.

The names of the classes are a statistician's; "bún bò" and "tạp hóa" stand in none of them. Only lines that a ward
sees; all else is sought among the official names.
"""

SECTOR_PHRASES = {
    "5610": (
        "quán ăn|nhà hàng|ăn uống|dịch vụ ăn uống|cơm|cơm gà|cơm tấm|cơm niêu|bún|bún bò|bún chả cá|"
        "bún mắm|mì quảng|mỳ quảng|phở|bánh mì|bánh xèo|bánh canh|bánh cuốn|bánh bèo|cháo|lẩu|nướng|"
        "hải sản|ốc|quán nhậu|bia|ăn sáng|ăn vặt|thức ăn đường phố|đồ ăn nhanh|gà rán|pizza|chè|"
        "quán chay|cơm chay|hủ tiếu|mì cay|xôi|bò né|nem lụi|restaurant|seafood|vegetarian|bbq|buffet|"
        "kem|quán cơm"
    ),
    "5621": "nấu ăn lưu động|dịch vụ nấu ăn lưu động|tiệc cưới|nấu tiệc|nấu cỗ|tiệc lưu động",
    "5629": "bếp ăn tập thể|căn tin|căng tin|suất ăn công nghiệp|cơm hộp",
    "5630": (
        "cà phê|cafe|café|coffee|caphe|giải khát|cf giải khát|dịch vụ cf giải khát|trà sữa|"
        "nước giải khát|sinh tố|nước mía|trà chanh|trà đá|quán nước|bar|pub|tea|kafe|cà fê|nước ép|"
        "quán bar|milk tea"
    ),
    "4711": (
        "tạp hóa|tạp hoá|siêu thị mini|cửa hàng tiện lợi|bách hóa|bách hoá|tạp phẩm|siêu thị|winmart|mart|minimart"
    ),
    "4721": "gạo|lương thực|bún tươi|ngũ cốc",
    "4722": (
        "thực phẩm|thịt|cá|rau|rau củ|trái cây|hoa quả|trứng|hải sản tươi sống|thịt heo|thịt bò|giò chả|"
        "đặc sản|bánh kẹo|mua bán hải sản|bán hải sản|bán lẻ hải sản|hải sản khô|bán cá|bán thịt|"
        "bán rau"
    ),
    "4723": "bia rượu|rượu|đồ uống|rượu bia|nước ngọt",
    "4724": "thuốc lá|thuốc lào",
    "4771": (
        "quần áo|thời trang|giày dép|túi xách|áo quần|may mặc sẵn|shop quần áo|đồ bộ|giày|dép|fashion|"
        "phụ kiện thời trang"
    ),
    "4751": "vải|vải sợi|rèm|chăn ga|chăn ra gối nệm",
    "4772": (
        "thuốc tây|nhà thuốc|hiệu thuốc|quầy thuốc|dược phẩm|mỹ phẩm|thuốc|thiết bị y tế|pharmacy|"
        "nhà thuốc tây|kính mắt"
    ),
    "4740": ("điện thoại|máy tính|laptop|điện thoại di động|linh kiện máy tính|sim|mobile|thiết bị viễn thông"),
    "4752": "vật liệu xây dựng|sơn|điện nước|kim khí|sắt thép|vlxd|gạch|đồ điện nước|ngũ kim",
    "4759": ("nội thất|đồ gỗ|điện gia dụng|đồ gia dụng|điện máy|bàn ghế|đèn trang trí|gia dụng|hàng gia dụng|đồ nhựa"),
    "4761": "sách|văn phòng phẩm|nhà sách|báo chí|sách báo",
    "4773": (
        "hoa tươi|hoa|vàng bạc|trang sức|đá quý|vàng mã|đồng hồ|quà lưu niệm|gas|bếp gas|cây cảnh|"
        "thú cưng|shop hoa|tiệm vàng"
    ),
    "4782": "phụ tùng ô tô",
    "4783": "xe máy|mô tô|phụ tùng xe máy",
    "4781": "ô tô|xe hơi",
    "9531": "sửa ô tô|sửa chữa ô tô|garage|gara|gara ô tô",
    "9532": "sửa xe|sửa xe máy|sửa chữa xe máy|rửa xe|vá xe|tiệm sửa xe",
    "4730": "xăng dầu|xăng|cửa hàng xăng dầu|nhớt",
    "5510": "khách sạn|hotel",
    "5520": "nhà nghỉ|homestay|nhà trọ ngắn ngày|villa|căn hộ du lịch|guesthouse|guest house|hostel|lưu trú",
    "6810": "phòng trọ|cho thuê nhà|cho thuê phòng trọ|nhà trọ|cho thuê mặt bằng|cho thuê phòng",
    "9621": "cắt tóc|tóc|hớt tóc|salon tóc|uốn tóc|làm tóc|gội đầu|hair salon|barber|barbershop",
    "9622": "làm đẹp|thẩm mỹ|nail|làm móng|phun xăm|trang điểm|nối mi|beauty|chăm sóc da",
    "9623": "spa|massage|xông hơi|xoa bóp|mát xa|tẩm quất",
    "9610": "giặt là|giặt ủi|giặt sấy|tiệm giặt|laundry",
    "9510": "sửa máy tính|sửa điện thoại|sửa chữa máy tính|sửa chữa điện thoại",
    "9521": "sửa tivi|sửa điện tử|sửa chữa điện tử",
    "9522": "sửa điện lạnh|sửa máy lạnh|sửa tủ lạnh|điện lạnh|sửa chữa điện lạnh",
    "8511": "nhóm trẻ|nhóm trẻ gia đình|trông trẻ|giữ trẻ|nhà trẻ",
    "8512": "mầm non|mẫu giáo|trường mầm non",
    "8559": "dạy thêm|trung tâm ngoại ngữ|ngoại ngữ|tiếng anh|dạy học|gia sư|dạy kèm|tin học",
    "8551": "dạy bơi|phòng tập|gym|yoga|fitness|dạy võ|thể hình",
    "8620": ("phòng khám|nha khoa|khám bệnh|phòng mạch|răng|dental|y học cổ truyền|đông y|phòng khám nha khoa"),
    "9329": "karaoke|game|internet|bida|bi a|trò chơi điện tử|bi da|billiards",
    "7911": "du lịch|đại lý du lịch|tour|lữ hành|vé máy bay",
    "7912": "lữ hành quốc tế|điều hành tua",
    "6495": "cầm đồ|dịch vụ cầm đồ|hiệu cầm đồ",
    "1071": ("sản xuất bánh|cơ sở sản xuất bánh mì|cssx bánh mỳ|lò bánh mì|sản xuất bún|cssx bún|lò bún|làm bánh"),
    "1101": "sản xuất rượu|cssx rượu|nấu rượu",
    "1410": "may|may mặc|may gia công|may đo|nhà may|cắt may|thợ may",
    "1811": "in ấn|photocopy|quảng cáo in|photo",
    "7420": "chụp ảnh|studio|ảnh viện|photo studio|ảnh cưới|quay phim",
    "4933": "vận tải hàng hóa|vận chuyển hàng|xe tải|taxi tải",
    "4790": "bán hàng online|bán hàng qua mạng|kinh doanh online|bán hàng trực tuyến|bán online",
    "7500": "thú y|phòng khám thú y",
}
"""Class → phrases. Some are of two minds ("thuốc", "photo"): the longest phrase in a text wins."""
