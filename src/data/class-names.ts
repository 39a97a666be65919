/** The 59 classes of Clothing Co-Parsing (Yang, Luo and Lin, CVPR 2014); a mask's value is the index here. */
export const CLOTHING_CLASSES = [
  ...["null", "accessories", "bag", "belt", "blazer", "blouse", "bodysuit", "boots", "bra", "bracelet"],
  ...["cape", "cardigan", "clogs", "coat", "dress", "earrings", "flats", "glasses", "gloves", "hair"],
  ...["hat", "heels", "hoodie", "intimate", "jacket", "jeans", "jumper", "leggings", "loafers", "necklace"],
  ...["panties", "pants", "pumps", "purse", "ring", "romper", "sandals", "scarf", "shirt", "shoes"],
  ...["shorts", "skin", "skirt", "sneakers", "socks", "stockings", "suit", "sunglasses", "sweater"],
  ...["sweatshirt", "swimwear", "t-shirt", "tie", "tights", "top", "vest", "wallet", "watch", "wedges"],
] as const;

export type ClothingClass = (typeof CLOTHING_CLASSES)[number];
