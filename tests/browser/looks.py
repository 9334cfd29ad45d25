"""Measures what a view looks like: contrast of its texts, texts that are cut off, parts that stick out."""

CONTRAST = """(root) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    const luminance = ([r, g, b]) => [r, g, b].map((part) => part / 255)
        .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
        .reduce((sum, part, place) => sum + part * [0.2126, 0.7152, 0.0722][place], 0);
    const grounds = (node) =>
        node ? [...grounds(node.parentElement), getComputedStyle(node).backgroundColor] : ['#fff'];
    const paint = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return luminance(canvas.getImageData(0, 0, 1, 1).data);
    };
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    const found = [];
    for (let text = walker.nextNode(); text; text = walker.nextNode()) {
        const node = text.parentElement;
        if (!text.textContent.trim() || !node.checkVisibility() || node.closest('.sr')) continue;
        const below = grounds(node);
        const pair = [paint(below), paint([...below, getComputedStyle(node).color])].sort((a, b) => b - a);
        found.push([(pair[0] + 0.05) / (pair[1] + 0.05), text.textContent.trim()]);
    }
    return found;
}"""

CLIPPED = """(root) => [...root.querySelectorAll('*')].filter((node) => {
    const style = getComputedStyle(node);
    if (!node.checkVisibility() || node.closest('.sr')) return false;
    if (['visible', 'auto'].includes(style.overflowX)) return false;
    if (node.tagName === 'INPUT' || node.scrollWidth <= node.clientWidth + 1) return false;
    return !(style.textOverflow === 'ellipsis' && node.title);
}).map((node) => `${node.tagName}.${node.className}: ${node.textContent}`)"""

STICKING_OUT = """(root) => {
    const frame = root.getBoundingClientRect();
    return [...root.querySelectorAll('*')].filter((node) => {
        if (!node.checkVisibility() || node.closest('.sr, .kq-scroll, svg')) return false;
        const box = node.getBoundingClientRect();
        return box.right > frame.right + 0.5 || box.left < frame.left - 0.5;
    }).map((node) => `${node.tagName}.${node.className}`);
}"""

SET_WIDTH = "(root, width) => { root.style.width = `${width}px`; }"
