// What a new browser context needs before the first page. Nothing, today.
export async function prepare() {}
