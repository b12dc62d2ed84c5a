"""COCO panoptic category ids that occur in the scenes."""

from typing import Final

PERSON: Final = 1
CAR: Final = 3
AIRPLANE: Final = 5
TRAIN: Final = 7
BOAT: Final = 9
BENCH: Final = 15
BIRD: Final = 16
DOG: Final = 18
HORSE: Final = 19
SHEEP: Final = 20
COW: Final = 21
UMBRELLA: Final = 28
BALL: Final = 37
KITE: Final = 38
BOTTLE: Final = 44
CUP: Final = 47
BOWL: Final = 51
BANANA: Final = 52
APPLE: Final = 53
ORANGE: Final = 55
COUCH: Final = 63
POTTED_PLANT: Final = 64
TABLE: Final = 67
FLOOR_WOOD: Final = 118
FLOWER: Final = 119
HOUSE: Final = 128
PLAYING_FIELD: Final = 145
RAILROAD: Final = 147
ROAD: Final = 149
SAND: Final = 154
SEA: Final = 155
SNOW: Final = 159
WATER: Final = 178
WINDOW: Final = 181
TREE: Final = 184
SKY: Final = 187
PAVEMENT: Final = 191
MOUNTAIN: Final = 192
GRASS: Final = 193
DIRT: Final = 194
BUILDING: Final = 197
ROCK: Final = 198
WALL: Final = 199
RUG: Final = 200

#: Names of a class in captions.
WORDS: Final[dict[int, tuple[str, ...]]] = {
    PERSON: ("person", "people", "man", "woman", "player", "skier"),
    CAR: ("car", "cars"),
    AIRPLANE: ("airplane",),
    TRAIN: ("train",),
    BOAT: ("boat", "sailboat", "boats", "sailboats"),
    BENCH: ("bench",),
    BIRD: ("bird", "birds", "gulls"),
    DOG: ("dog", "dogs"),
    HORSE: ("horse", "horses"),
    SHEEP: ("sheep",),
    COW: ("cow", "cows"),
    UMBRELLA: ("umbrella", "umbrellas"),
    BALL: ("ball",),
    KITE: ("kite", "kites"),
    BOTTLE: ("bottle",),
    CUP: ("cup", "mug"),
    BOWL: ("bowl",),
    BANANA: ("banana", "bananas"),
    APPLE: ("apple", "apples"),
    ORANGE: ("orange", "oranges"),
    COUCH: ("couch",),
    POTTED_PLANT: ("plant",),
    TABLE: ("table",),
    FLOWER: ("flower", "flowers"),
    HOUSE: ("house", "houses"),
    RAILROAD: ("tracks",),
    ROAD: ("road", "street"),
    SAND: ("sand", "beach", "desert"),
    SEA: ("sea", "ocean"),
    SNOW: ("snow", "snowy"),
    WATER: ("lake",),
    MOUNTAIN: ("mountain", "mountains"),
    BUILDING: ("building", "buildings", "city"),
    ROCK: ("rock", "rocks"),
    RUG: ("rug",),
}
