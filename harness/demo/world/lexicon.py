"""The words of the demo's world: per language, named lists that templates draw from."""

from __future__ import annotations

from harness.core.errors import UsageError

Language = str
LANGUAGES: tuple[Language, ...] = ("en", "zh")


def _lists(text: str) -> dict[str, tuple[str, ...]]:
    """Lists written as `name: word, word, ...`, each over any number of lines."""
    lists: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in text.strip().splitlines():
        head, colon, rest = line.strip().rpartition(": ")
        name = head if colon else name
        lists[name] = (*lists.get(name, ()), *(word.strip() for word in rest.split(",") if word.strip()))
    return lists


ENGLISH = _lists(
    """
    person: Anna, Ben, Clara, David, Emma, Felix, Grace, Henry, Iris, Jack, Karen, Leo, Maria, Nick,
        Olga, Paul, Rosa, Sam, Tina, Victor, Wendy, Yusuf, Zoe, Arthur, Bella, Carlos, Diana, Edgar,
        Fiona, George, Hugo, Irene, James, Kira, Lucas, Mona, Noah, Oscar, Petra, Ralph, Sofia, Tom,
        Ursula, Walter
    city: London, Paris, Lima, Oslo, Cairo, Tokyo, Rome, Madrid, Berlin, Delhi, Boston, Dublin,
        Vienna, Prague, Lisbon, Athens, Quito, Sydney, Seoul, Geneva, Havana, Nairobi, Toronto,
        Warsaw
    object: umbrella, camera, lantern, map, red scarf, blue kite, silver watch, old radio, notebook,
        guitar case, wool hat, bread knife, paper fan, green bottle, torch, ladder, toolbox, mirror,
        chess board, tea pot, leather bag, pocket lamp, yellow coat, photo album, tennis racket
    spot: top drawer, kitchen shelf, garden shed, glove box, wooden chest, hall cupboard,
        blue suitcase, attic, cellar, front pocket, laundry basket, bookcase, back seat, mail box,
        barn, office desk
    venue: museum, library, bakery, post office, swimming pool, city hall, zoo, pharmacy, cinema, gym,
        flower shop, bank, bookshop, theatre, town market, aquarium, garage, tea house
    time: six, seven, eight, nine, ten, eleven, noon, one, two, three, four, five, midnight,
        half past six, half past eight, half past nine, quarter past ten, half past two
    goods: lamp, chair, carpet, kettle, blanket, clock, basket, pillow, vase, hammer, bucket, table,
        bicycle, jacket, suitcase, violin bow, frying pan, mattress
    day: Monday, Tuesday, Wednesday, Thursday, Friday, Saturday, Sunday, New Year, May Day, Easter,
        Labour Day, Christmas
    thing: door, fence, roof, gate, boat, bench, wagon, bridge, tower, fountain, window frame, stairs,
        garden wall, ceiling, mailbox, barn door
    colour: blue, red, green, yellow, white, black, purple, orange, pink, grey, brown, silver, golden,
        violet
    job: baker, nurse, pilot, teacher, farmer, painter, lawyer, plumber, dentist, waiter, tailor,
        fisherman, gardener, engineer, translator, bus driver, judge, singer, vet, carpenter
    container: green box, red box, blue tin, white bag, brown sack, glass jar, small crate, large crate,
        round basket, paper bag, tall barrel, clay pot, black case, striped bag
    food: apples, rice, walnuts, lemons, beans, honey, cherries, flour, sugar, pears, onions, salt,
        cheese, grapes, carrots, tea leaves, dried figs, peas
    animal: cat, dog, parrot, rabbit, turtle, pony, hamster, goat, canary, snake, duck, goldfish,
        lizard, sheep, donkey, owl
    department: toy department, shoe department, finance office, reading room, children's ward, canteen,
        archive, law office, sports hall, press room, computer lab, staff lounge, repair desk,
        music school
    floor: first floor, second floor, third floor, fourth floor, fifth floor, sixth floor,
        seventh floor, eighth floor, ninth floor, tenth floor, ground floor, basement
    instrument: violin, piano, flute, drums, cello, harp, trumpet, guitar, banjo, clarinet, organ, tuba,
        accordion, oboe
    prize: gold medal, silver cup, book token, free ticket, chess trophy, film award, new laptop,
        cake ribbon, poetry prize, science award, garden prize, dance trophy
    club: chess club, choir, film club, running group, debate team, sewing circle, robot club,
        drama group, garden society, photo club, poetry circle, cycling team
    dish: tomato soup, fried fish, lamb curry, apple pie, noodle salad, roast duck, mushroom risotto,
        cheese toast, pea stew, crab cakes, rice pudding, beef dumplings
    weather: foggy, sunny, windy, snowy, stormy, rainy, cloudy, frosty, humid, dry, icy, warm
    language: Spanish, French, Greek, Turkish, Polish, Arabic, Hindi, Swedish, Korean, Dutch, Latin,
        Finnish
    """
)

CHINESE = _lists(
    """
    person: 小明, 王芳, 李强, 张伟, 刘洋, 陈静, 杨帆, 赵磊, 周敏, 吴刚, 徐丽, 孙涛, 马超, 朱红, 胡军,
        郭艳, 林峰, 何平, 高翔, 罗兰, 梁栋, 宋佳, 郑爽, 谢娜, 韩梅, 唐亮, 冯雪, 董洁, 萧雨, 程浩,
        曹颖, 袁野, 邓超, 许晴, 傅明, 沈月, 曾黎, 彭博, 吕良, 苏珊
    city: 北京, 上海, 广州, 成都, 西安, 杭州, 南京, 武汉, 重庆, 天津, 苏州, 青岛, 长沙, 昆明, 大连,
        厦门, 沈阳, 郑州, 济南, 拉萨, 桂林, 宁波, 兰州, 合肥
    object: 雨伞, 相机, 灯笼, 地图, 红围巾, 蓝风筝, 银手表, 旧收音机, 笔记本, 吉他盒, 毛线帽, 面包刀,
        纸扇子, 绿瓶子, 手电筒, 梯子, 工具箱, 镜子, 棋盘, 茶壶, 皮包, 台灯, 黄大衣, 相册, 网球拍
    spot: 上层抽屉, 厨房架子, 花园小屋, 手套箱, 木箱, 门厅柜子, 蓝色行李箱, 阁楼, 地下室, 前口袋,
        洗衣篮, 书柜, 后座, 信箱, 谷仓, 办公桌
    venue: 博物馆, 图书馆, 面包店, 邮局, 游泳馆, 市政厅, 动物园, 药店, 电影院, 健身房, 花店, 银行,
        书店, 剧院, 菜市场, 水族馆, 修车行, 茶馆
    time: 六点, 七点, 八点, 九点, 十点, 十一点, 中午, 一点, 两点, 三点, 四点, 五点, 半夜, 六点半,
        八点半, 九点半, 十点一刻, 两点半
    goods: 灯具, 椅子, 地毯, 水壶, 毯子, 挂钟, 篮子, 枕头, 花瓶, 锤子, 水桶, 桌子, 自行车, 夹克, 箱子,
        琴弓, 平底锅, 床垫
    day: 星期一, 星期二, 星期三, 星期四, 星期五, 星期六, 星期日, 元旦, 劳动节, 中秋节, 国庆节, 除夕
    thing: 大门, 篱笆, 屋顶, 铁门, 小船, 长椅, 马车, 小桥, 高塔, 喷泉, 窗框, 楼梯, 围墙, 天花板, 邮筒,
        仓门
    colour: 蓝色, 红色, 绿色, 黄色, 白色, 黑色, 紫色, 橙色, 粉色, 灰色, 棕色, 银色, 金色, 青色
    job: 面包师, 护士, 飞行员, 教师, 农民, 画家, 律师, 水管工, 牙医, 服务员, 裁缝, 渔民, 园丁,
        工程师, 翻译, 公交司机, 法官, 歌手, 兽医, 木匠
    container: 绿盒子, 红盒子, 蓝罐子, 白袋子, 棕麻袋, 玻璃罐, 小木箱, 大木箱, 圆篮子, 纸袋, 高木桶, 陶罐,
        黑箱子, 条纹包
    food: 苹果, 大米, 核桃, 柠檬, 豆子, 蜂蜜, 樱桃, 面粉, 白糖, 梨, 洋葱, 食盐, 奶酪, 葡萄, 胡萝卜,
        茶叶, 无花果, 豌豆
    animal: 猫, 狗, 鹦鹉, 兔子, 乌龟, 小马, 仓鼠, 山羊, 金丝雀, 蛇, 鸭子, 金鱼, 蜥蜴, 绵羊, 毛驴, 猫头鹰
    department: 玩具部, 鞋类部, 财务室, 阅览室, 儿童病房, 食堂, 档案室, 律师事务所, 体育馆, 新闻室, 机房,
        员工休息室, 维修处, 音乐学校
    floor: 一楼, 二楼, 三楼, 四楼, 五楼, 六楼, 七楼, 八楼, 九楼, 十楼, 底层, 负一层
    instrument: 小提琴, 钢琴, 长笛, 架子鼓, 大提琴, 竖琴, 小号, 吉他, 二胡, 单簧管, 古筝, 大号, 手风琴, 琵琶
    prize: 金牌, 银杯, 购书券, 免费门票, 象棋奖杯, 电影奖, 新电脑, 蛋糕奖章, 诗歌奖, 科学奖, 园艺奖,
        舞蹈奖杯
    club: 象棋社, 合唱团, 电影社, 跑步队, 辩论队, 缝纫组, 机器人社, 话剧团, 园艺会, 摄影社, 诗社,
        骑行队
    dish: 番茄汤, 炸鱼, 羊肉咖喱, 苹果派, 凉拌面, 烤鸭, 蘑菇饭, 芝士吐司, 豌豆羹, 蟹饼, 米布丁,
        牛肉饺子
    weather: 有雾, 晴天, 刮风, 下雪, 暴风雨, 下雨, 多云, 霜冻, 潮湿, 干燥, 结冰, 暖和
    language: 西班牙语, 法语, 希腊语, 土耳其语, 波兰语, 阿拉伯语, 印地语, 瑞典语, 韩语, 荷兰语, 拉丁语,
        芬兰语
    """
)

_WORDS = {"en": ENGLISH, "zh": CHINESE}


def _numbers(first: int, stop: int, step: int = 1) -> tuple[str, ...]:
    return tuple(str(number) for number in range(first, stop, step))


# Numbers read the same in both languages.
_NUMBER_LISTS = {
    "platform": _numbers(1, 30),
    "amount": _numbers(2, 60),
    "locker": _numbers(100, 400, 7),
    "room": _numbers(11, 60),
    "code": _numbers(1013, 9900, 211),
    "seat": _numbers(1, 50),
}


def words(slot: str, language: Language) -> tuple[str, ...]:
    """The words that fill a slot.

    Example:
        >>> words("colour", "en")[0], words("colour", "zh")[0]
        ('blue', '蓝色')
    """
    if slot in _NUMBER_LISTS:
        return _NUMBER_LISTS[slot]
    if language not in _WORDS:
        raise UsageError(f"The demo's world has no words in '{language}'; its languages are en and zh.")
    return _WORDS[language][slot]


def all_words(language: Language) -> tuple[str, ...]:
    """Every word of a language's lists, each once, sorted.

    Example:
        >>> "umbrella" in all_words("en"), "雨伞" in all_words("zh")
        (True, True)
    """
    return tuple(sorted({word for listed in _WORDS[language].values() for word in listed}))
